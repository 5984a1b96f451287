/* SPDX-License-Identifier: MIT */
/*
 * negotiation.pml: the control channel: proposing, refusing, granting,
 * subscribing, falling quiet and leaving, with two consumers of which each
 * may be killed at any step, and a producer that ends or is killed at any.
 *
 * A connection is two queues and two ends; a killed one's end is closed, and
 * what it has sent before can be read still. What the producer does between
 * two messages is one step. Comments name the functions.
 *
 * Shown: one consumer at a time, and not before its predecessor's C is
 * unmapped; epochs grow; a grant that could not be sent leaves the ring as it
 * was; QUIET means that nothing is armed, pending or on its way; after a clean
 * detach nothing is armed; and, as LTL, nobody waits for ever for an answer.
 */
#define NR   2 /* consumers */
#define NONE NR
#ifndef TURNS
#define TURNS 2 /* that each asks for something */
#endif

mtype = { propose, subscribe, quiesce, detach, rubbish };
mtype = { grant, refusal, subscribed, quiet };

chan to_producer[NR] = [2] of { mtype };
chan to_consumer[NR] = [2] of { mtype, byte };
bool consumer_closed[NR], producer_closed[NR];
bool ended[NR];
bool producer_killed;

/* The session, and the producer. */
byte peer = NONE, epoch;
bool leaving, clean, quiescing, has_c, released;
bool has_ring, ring_is_live;

/* The source: what is armed, on its way, and without a verdict. */
bool armed, coming, pending;

/* What consumers were told. */
byte last_epoch;

inline drop(c)
{
    producer_closed[c] = true
}

/* socket_send() to a consumer; it fails if that has gone. */
inline reply(c, type, value)
{
    atomic {
        if
        :: consumer_closed[c] -> failed = true
        :: else -> to_consumer[c]!type(value); failed = false
        fi
    }
}

/* negotiate_refuse(), the end of negotiate_answer(): said, then hung up on. */
inline refuse(c)
{
    reply(c, refusal, 0);
    drop(c)
}

/* end_session(): what it has answered is swept by the next collect(). */
inline end_session()
{
    atomic {
        leaving = true;
        drop(peer);
        peer = NONE;
        if
#ifndef BUG_STAYS_ARMED
        :: clean -> armed = false /* control_disarm() */
#endif
        :: else
        fi
    }
}

/* negotiate_answer() */
inline answer(c)
{
    if
#ifndef BUG_TWO
#ifdef BUG_UNSWEPT
    :: peer != NONE ->
#else
    :: peer != NONE || leaving ->
#endif
#ifdef BUG_HANGS
        skip
#else
        refuse(c)
#endif
#endif
    :: else ->
        if
        :: refuse(c) /* whatever else: version, size, memory, ... */
        :: true ->
            ring_is_live = false; /* vmr_producer_freeze(), frozen_add() */
            reply(c, grant, epoch + 1);
            if
            :: failed ->
#ifndef BUG_NO_TAKE_BACK
                ring_is_live = has_ring; /* frozen_take_back() */
#endif
                drop(c)
            :: else ->
                atomic { /* begin_epoch() */
                    assert(peer == NONE && !leaving && !has_c);
#ifndef BUG_SAME_EPOCH
                    epoch++;
#endif
                    peer = c;
                    has_c = true;
                    has_ring = true;
                    ring_is_live = true;
                    clean = false;
                    quiescing = false;
                    released = false
                }
            fi
        fi
    fi
}

/* serve_peer() of the one that is attached: control_message(). */
inline serve_attached()
{
    if
    :: to_producer[peer]?subscribe ->
        quiescing = false;
        if
        :: armed = true
        :: armed = false /* denied: what was armed was to be replaced */
        fi;
        reply(peer, subscribed, 0);
        if
        :: failed -> end_session()
        :: else
        fi
    :: to_producer[peer]?quiesce -> armed = false; quiescing = true
    :: to_producer[peer]?detach -> clean = true; end_session()
    :: to_producer[peer]?rubbish -> end_session() /* -EPROTO */
    :: to_producer[peer]?propose -> end_session()
    :: empty(to_producer[peer]) && consumer_closed[peer] -> end_session()
    :: empty(to_producer[peer]) && !consumer_closed[peer]
    fi
}

/* serve_peer() of another: it proposes, or is dropped. */
inline serve(c)
{
    if
    :: !producer_closed[c] && c != peer ->
        if
        :: to_producer[c]?propose -> answer(c)
        :: to_producer[c]?subscribe -> drop(c)
        :: to_producer[c]?quiesce -> drop(c)
        :: to_producer[c]?detach -> drop(c)
        :: to_producer[c]?rubbish -> drop(c)
        :: empty(to_producer[c]) && consumer_closed[c] -> drop(c)
        :: empty(to_producer[c]) && !consumer_closed[c]
        fi
    :: else
    fi
}

/* The source raises what is armed; disarmed, what is on its way still comes. */
inline source()
{
    if
    :: armed && !coming -> coming = true
    :: coming && !pending -> atomic { coming = false; pending = true }
    :: armed || !coming || pending
    fi
}

/* vmring_producer_collect(): verdicts, the end of a sweep, control_say_quiet(). */
inline collect()
{
    if
    :: pending -> pending = false /* answered, too late, or released */
    :: armed || !pending
    fi;
    if
    :: leaving -> /* serve_forget_session() */
        atomic { has_c = false; leaving = false; released = clean }
    :: else
    fi;
    if
#ifdef BUG_QUIET_EARLY
    :: peer != NONE && quiescing && !pending ->
#else
    :: peer != NONE && quiescing && !pending && !coming ->
#endif
        reply(peer, quiet, 0);
        quiescing = failed /* told again, if it was not heard */
    :: else
    fi
}

active proctype producer()
{
    byte c;
    bool failed;

    {
        do
        ::  atomic { source() };
            /* vmring_producer_dispatch() */
            if
            :: peer != NONE -> serve_attached()
            :: else
            fi;
            if
#ifdef BUG_UNSWEPT
            :: true ->
#else
            :: !leaving ->
#endif
                serve(0);
                serve(1)
            :: else
            fi;
            atomic {
                collect();
                assert(!has_ring || ring_is_live);
                assert(!released || !armed)
            }
        :: ended[0] && ended[1] -> break
        :: producer_killed = true /* or it ends */
        od
    } unless { producer_killed };
    atomic {
        c = 0;
        do
        :: c < NR -> drop(c); c++
        :: else -> break
        od
    }
}

/* The next message, or that the other has hung up: all are read first. */
inline next_message()
{
    if
    :: to_consumer[c]?got(value)
    :: producer_closed[c] && empty(to_consumer[c]) -> goto left
    :: mortal -> goto left
    fi
}

/* A message, unless nobody is there to read it; or it is killed before. */
inline say(type)
{
    if
    :: atomic { !producer_closed[c] -> to_producer[c]!type }
    :: producer_closed[c] -> goto left
    :: goto left
    fi
}

active [NR] proctype consumer()
{
    byte c = _pid - 1;
    mtype got;
    byte value, turns;
    bool mortal; /* it may be killed; if not, nothing but an answer helps */

    if
    :: mortal = true
    :: mortal = false
    fi;
    say(propose);
    next_message();
    if
    :: got == refusal -> goto left
    :: got == grant
    fi;
    d_step {
        assert(value > last_epoch);
        last_epoch = value;
        value = 0
    };
    do
    :: turns < TURNS ->
        turns++;
        if
        ::  say(subscribe);
            next_message();
            assert(got == subscribed)
        ::  say(quiesce);
            next_message();
            assert(got == quiet);
            assert(producer_closed[c] || (!armed && !coming && !pending))
        fi
    :: say(rubbish); goto left
    :: say(detach); goto left
    od;
left:
    atomic {
        got = 0;
        value = 0;
        turns = 0;
        mortal = false;
        consumer_closed[c] = true;
        ended[c] = true
    }
}

ltl nobody_hangs { <> (ended[0] && ended[1]) }
