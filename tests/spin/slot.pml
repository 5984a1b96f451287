/* SPDX-License-Identifier: MIT */
/*
 * slot.pml: the synchronous requests of one vCPU, while its consumers are
 * killed, stopped, leave, or hang up and go on writing, at any step.
 *
 * Each access to P or C is one step; what the machine reorders is not in this
 * model. Comments name the functions that a step stands for. Who is stopped,
 * and a producer that is killed, takes no more steps: the search has every
 * state in which one does not go on, so these need no step of their own.
 *
 * Shown, for every interleaving: a request has at most one verdict; it is that
 * of the consumer in whose ring it was answered, on that very request; nothing
 * torn is taken; an answer that stood there when its consumer died is not
 * dropped; after a pass over vmring_producer_collect() no request is held that was past
 * its deadline before, whatever its consumer does.
 */
#ifndef NR_REQUESTS
#define NR_REQUESTS 2
#endif
#define FIFO      2 /* VMR_FIFO is 5 */
#define NR_EPOCHS 2

/* P of each epoch: the request slot. A body is two words, to be torn. */
byte p_seq[NR_EPOCHS], p_body1[NR_EPOCHS], p_body2[NR_EPOCHS];

/* C of each epoch: the response slot, and the answered bit. */
byte c_seq[NR_EPOCHS], c_for[NR_EPOCHS], c_by[NR_EPOCHS];
bool answered[NR_EPOCHS];

#ifdef BUG_OLD_C
#define C(e) 0 /* a successor is given the C of the one before */
#else
#define C(e) e
#endif

/* The control channel of each consumer. */
bool attached_to[NR_EPOCHS], said_detach[NR_EPOCHS], hung_up[NR_EPOCHS];
bool silent[NR_EPOCHS]; /* it is dead, and writes no more */

/* The producer's own. */
bool answered_for[NR_REQUESTS + 1]; /* it has its verdict */
byte fifo[FIFO], nr, seq, raised;
byte next_epoch, at;
bool has_ring, attached, sweeping, clean, release, was_silent;
bool due;       /* the first of the FIFO is past its deadline */
bool must_end;  /* it was so when the pass began */

/* Which request a seq was given for: only to check by. */
byte meant[4 * NR_REQUESTS + 2];

inline resume(request)
{
    assert(!answered_for[request]);
    answered_for[request] = true
}

/* vmr_slot_post(): the first of the FIFO becomes visible. */
inline post_next()
{
    if
    :: has_ring && nr && seq % 2 == 0 ->
        p_body1[at] = fifo[0]; /* S2: after the even seq */
        p_body2[at] = fifo[0];
        d_step {
            seq++;
            meant[seq] = fifo[0];
            p_seq[at] = seq /* S1 */
        }
    :: else
    fi
}

/* retire(), vmr_slot_retire(): the first has its verdict. */
inline retire()
{
    d_step {
        if
        :: seq % 2 ->
            seq++;
#ifndef BUG_NO_EVEN
            p_seq[at] = seq
#endif
        :: else
        fi;
        fifo[0] = fifo[1];
        fifo[1] = 0;
        nr--;
        due = false;
        must_end = false
    };
    post_next()
}

/* collect_one(), vmr_slot_collect(): the answer to the visible request. */
inline look()
{
    if
#ifdef BUG_ANY_SEQ
    :: seq % 2 && c_seq[C(at)] ->
#else
    :: seq % 2 && c_seq[C(at)] == seq -> /* S3 */
#endif
        d_step {
            assert(c_for[C(at)] == fifo[0]);
            assert(c_by[C(at)] == at);
            resume(fifo[0])
        };
        retire()
    :: else
    fi
}

/* end_session(), vmr_producer_sweep(). */
inline end_session()
{
    d_step {
        sweeping = true;
        clean = said_detach[at];
        was_silent = silent[at]
    }
}

/* negotiate_answer(), vmr_producer_attach(), vmr_slot_tx_attach(). */
inline attach()
{
    d_step {
        if
        :: seq % 2 -> seq++
        :: else
        fi;
        at = next_epoch;
        next_epoch++;
        has_ring = true;
        attached = true;
        release = false
    };
    post_next();
    attached_to[at] = true
}

/* collect_answer(): one look at what is answered. */
inline collect_answer()
{
    if
    :: attached && sweeping ->
#ifndef BUG_NO_SWEEP
        look(); /* once, without hints */
#endif
        /* vmr_slot_tx_detach(), serve_forget_session(). */
        d_step {
            assert(!was_silent || seq % 2 == 0 || c_seq[C(at)] != seq);
            attached = false;
            sweeping = false;
            release = clean
        }
    :: attached && !sweeping && answered[C(at)] ->
        answered[C(at)] = false; /* vmr_bell_fetch_answers() */
        look()
    :: else
    fi
}

/* expire(), expire_one(): neutral verdicts. */
inline expire()
{
    do
#ifdef BUG_WAITS
    :: nr && (release || (due && !attached)) ->
#else
    :: nr && (release || due) ->
#endif
        resume(fifo[0]);
#ifdef BUG_KEPT
        must_end = false;
        break
#else
        retire()
#endif
    :: else -> break
    od
}

active proctype producer()
{
    do
    ::  /* vmring_producer_post(): the vCPU raises one, or runs on. */
        atomic {
            if
            :: raised < NR_REQUESTS ->
                raised++;
                if
                :: nr < FIFO -> fifo[nr] = raised; nr++
                :: else -> resume(raised) /* queue_overflow() */
                fi
            :: true
            fi;
            if
            :: nr -> due = true; must_end = true /* time goes by */
            :: true
            fi
        };
        post_next();
        /* vmring_producer_dispatch() */
        if
        :: attached && hung_up[at] -> end_session()
        :: !attached && next_epoch < NR_EPOCHS -> attach()
        :: true
        fi;
        collect_answer();
        expire();
        assert(!must_end)
    od
}

/* A consumer. Wherever it may be killed, it may `goto left`. */
active [NR_EPOCHS] proctype consumer()
{
    byte e = _pid - 1;
    byte s, body, taken;

    attached_to[e];
    do
    ::  /* vmr_slot_take() */
        atomic {
            p_seq[e] % 2 && p_seq[e] != taken ->
            s = p_seq[e] /* S1 */
        };
        if
        :: body = p_body1[e]
        :: goto left
        fi;
        atomic {
            if
            :: body != p_body2[e] -> body = 0
            :: else
            fi
        };
        if
        :: p_seq[e] == s -> /* S2 */
            d_step {
                taken = s;
                assert(body && body == meant[s])
            };
            /* vmr_consumer_answer(), vmr_slot_answer(), flush. */
            if
            :: p_seq[e] == s ->
                if
                :: d_step { c_for[C(e)] = body; c_by[C(e)] = e }
                :: goto left
                fi;
                if
                :: c_seq[C(e)] = s /* S3 */
                :: goto left
                fi;
                answered[C(e)] = true
            :: else
            :: goto left
            fi
        :: p_seq[e] != s /* retired meanwhile */
        fi;
        d_step { s = 0; body = 0 }
    :: d_step { said_detach[e] = true; hung_up[e] = true }; goto left
    ::  /* It closes its socket and goes on writing: nobody can stop it. */
        d_step { !hung_up[e] -> hung_up[e] = true }
    :: goto left
    od;
left:
    atomic { s = 0; body = 0; taken = 0; silent[e] = true; hung_up[e] = true }
}
