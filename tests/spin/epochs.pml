/* SPDX-License-Identifier: MIT */
/*
 * epochs.pml: the records of one lane over several epochs, while each consumer
 * but the last may be killed at any step: taking records, draining what an
 * earlier one left, or before the grant reaches it.
 *
 * Each access to P or C and each message is one step. Who is stopped takes no
 * more steps, and a producer that was killed neither: no state is missing.
 *
 * Shown: each record that was attempted is handed to somebody who lives to be
 * done with it, or is counted lost (no room, overwritten, given up), and when
 * the last consumer is through, all are; what is handed out twice is marked
 * the second time; nothing is written to a frozen P; and, as LTL, the last
 * consumer gets through.
 *
 * -DOVERWRITE: the other policy. -DMAX_PREV=1: frozen Ps are given up.
 */
#ifndef MAX_PREV
#define MAX_PREV 2 /* XEN_VM_RING_MAX_PREV is 8 */
#endif
#ifndef NR_EPOCHS
#define NR_EPOCHS 4
#endif
#define NR_RECORDS 4
#define SLOTS 2
#define LAST  (NR_EPOCHS - 1)

mtype = { none, live, frozen };

/* P: the lane's line and records. C: the cursor. */
byte head[NR_EPOCHS], resume[NR_EPOCHS], cons[NR_EPOCHS];
byte record[NR_EPOCHS * NR_RECORDS]; /* by position, whatever its slot is */
#define RECORD(e, h) record[(e) * NR_RECORDS + (h)]
mtype state[NR_EPOCHS] = none;

/* The control channel. */
bool granted[NR_EPOCHS], drained[NR_EPOCHS], hung_up[NR_EPOCHS];
bool hung_up_on[NR_EPOCHS];
byte handed[NR_EPOCHS]; /* the frozen Ps of its grant, a bit each */

/* What became of each record: for checking. */
bool out[NR_RECORDS + 1];     /* a consumer has had it in its hands */
bool done[NR_RECORDS + 1];    /* and was done with it */
bool counted[NR_RECORDS + 1]; /* in some count of losses */
bool finished;

/* The producer's own. */
byte pushed, at, next_epoch, bound;
bool has_ring, has_cursor, attached, frozen_p[NR_EPOCHS];
byte nr_frozen;

/* read_cursor(): once, and within bounds. */
inline read_cursor()
{
    d_step {
        if
        :: has_cursor && cons[at] >= bound && cons[at] <= head[at] ->
            bound = cons[at]
        :: else
        fi
    }
}

/* vmr_lane_push() */
inline push()
{
    if
    :: !has_ring -> d_step { pushed++; counted[pushed] = true }
    :: else ->
#ifndef OVERWRITE
        if
        :: head[at] - bound >= SLOTS -> read_cursor()
        :: else
        fi;
#endif
        atomic {
            assert(state[at] == live);
            pushed++;
            if
#ifndef OVERWRITE
            :: head[at] - bound >= SLOTS -> counted[pushed] = true
#endif
            :: else ->
                RECORD(at, head[at]) = pushed;
                head[at]++
            fi
        }
    fi
}

/* give_up_oldest(): what nobody has read, or said so, is counted lost. */
inline give_up_oldest()
{
    i = 0;
    do
    :: !frozen_p[i] -> i++
    :: else -> break
    od;
    frozen_p[i] = false;
    nr_frozen--;
    j = resume[i];
    do
    :: j < head[i] -> counted[RECORD(i, j)] = true; j++
    :: else -> break
    od
}

/* vmr_producer_freeze(), frozen_add() */
inline freeze()
{
    read_cursor();
    atomic {
        resume[at] = bound;
#ifdef BUG_RESUME_AT_HEAD
        resume[at] = head[at];
#endif
        state[at] = frozen;
        do
        :: nr_frozen == MAX_PREV -> give_up_oldest()
        :: else -> break
        od;
        frozen_p[at] = true;
        nr_frozen++;
        i = 0;
        j = 0
    }
}

/* send_grant(), begin_epoch(); or frozen_take_back(). */
inline grant()
{
    atomic {
        if
        :: hung_up[next_epoch] -> /* nobody to send it to */
            if
            :: has_ring ->
#ifndef BUG_NO_TAKE_BACK
                frozen_p[at] = false;
                nr_frozen--;
                state[at] = live
#endif
            :: else
            fi;
            hung_up_on[next_epoch] = true
        :: else ->
            do
            :: i < NR_EPOCHS ->
                handed[next_epoch] = handed[next_epoch] | (frozen_p[i] << i);
#ifdef BUG_DROPPED_WHEN_HANDED
                frozen_p[i] = false; nr_frozen = 0;
#endif
                i++
            :: else -> break
            od;
            i = 0;
            at = next_epoch;
            state[at] = live;
            bound = 0;
            has_ring = true;
            has_cursor = true;
            attached = true;
            granted[at] = true
        fi;
        next_epoch++
    }
}

/* frozen_drop() */
inline frozen_drop()
{
    d_step {
        do
        :: i < NR_EPOCHS -> frozen_p[i] = false; i++
        :: else -> break
        od;
        i = 0;
        nr_frozen = 0;
        drained[at] = false
    }
}

active proctype producer()
{
    byte i, j;

    do
    :: pushed < NR_RECORDS -> push()
    :: attached && drained[at] -> frozen_drop()
    :: attached && !drained[at] && hung_up[at] ->
        /* end_session(); swept: vmr_lane_tx_detach() */
        read_cursor();
#ifdef BUG_HANGS
        hung_up[at] = false; /* nobody will see that it has gone */
#else
        d_step { has_cursor = false; attached = false }
#endif
    :: !attached && next_epoch < NR_EPOCHS ->
        if
        :: has_ring -> freeze()
        :: else
        fi;
        grant()
    :: finished -> break
    od
}

/* The caller has it in its hands, and is done with it, if it lives. */
inline handle(id, marked)
{
    d_step {
        assert(!out[id] || marked);
        out[id] = true
    };
    if
    :: done[id] = true
    :: e != LAST -> goto left
    fi
}

/* hand_out_drained() marks; what a lane before lost is counted again. */
#ifdef BUG_UNMARKED
#define MARKED false
#else
#define MARKED true
#endif

/* vmr_lane_pull() of position tail in the P of epoch f: 0 if it is gone. */
inline pull(f)
{
    atomic {
        id = RECORD(f, tail);
#ifdef OVERWRITE
        if
        :: head[f] - tail > SLOTS -> counted[id] = true; id = 0
        :: else
        fi;
#endif
        tail++
    }
}

active [NR_EPOCHS] proctype consumer()
{
    byte e = _pid - 1;
    byte f, tail, id;

    if
    :: granted[e]
    :: e != LAST -> goto left /* while the grant is made */
    :: hung_up_on[e] -> goto left
    fi;
    /* next_from_before(): the oldest first, each from its resume. */
    do
    :: f < e && (handed[e] >> f & 1) ->
        tail = resume[f];
        do
        :: tail < head[f] ->
            pull(f);
#ifdef BUG_DRAINED_EARLY
            if
            :: f == e - 1 && tail == head[f] -> drained[e] = true
            :: else
            fi;
#endif
            if
            :: id -> handle(id, MARKED); id = 0
            :: else
            fi
        :: else -> break
        od;
        f++
    :: f < e && !(handed[e] >> f & 1) -> f++
    :: f == e -> break
    od;
    atomic { tail = 0; f = 0 };
    if
    :: handed[e] -> drained[e] = true /* DRAINED */
    :: else
    fi;
    /* Its own lane: vmr_consumer_next(). */
    do
    :: tail < head[e] ->
        pull(e);
#ifdef BUG_PUBLISHED_EARLY
        cons[e] = tail;
#endif
        if
        :: id -> handle(id, false); id = 0
        :: else
        fi;
        /* end_batch(), vmr_lane_publish_cursor(): the caller is back. */
        if
        :: cons[e] = tail
        :: e != LAST -> goto left
        fi
    :: e != LAST -> goto left
    :: e == LAST && pushed == NR_RECORDS && tail == head[e] -> break
    od;
    /* All records have been attempted, and this one has read to the end. */
    atomic {
        f = 1;
        do
        :: f <= NR_RECORDS -> assert(done[f] || counted[f]); f++
        :: else -> break
        od;
        finished = true
    };
left:
    atomic { tail = 0; id = 0; f = 0; hung_up[e] = true }
}

ltl gets_through { <> finished }
