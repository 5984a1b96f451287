/* SPDX-License-Identifier: MIT */
/*
 * loop.h: what the files of the agent's loop have in common.
 *
 *   run.c      takes events and writes them
 *   ending.c   signals and timers: when to end, and what is told meanwhile
 */
#ifndef AGENT_LOOP_H
#define AGENT_LOOP_H

#include <event2/event.h>

#include "output/order.h"
#include "run.h"
#include "take.h"
#include "workers.h"

#define NR_SIGNALS 6

struct loop {
    struct run *run;
    struct event_base *base;
    struct taker taker;
    struct workers *workers;    /* NULL: this thread takes all */
    struct event *ring_event;   /* the doorbell; NULL before its first use */
    struct event *lines_event;  /* workers have lines */
    struct event *output_event; /* the output takes more */
    struct event *end_timer;    /* -t */
    struct event *tick;         /* the live line */
    struct event *reminder;     /* the end takes long */
    struct event *limit;        /* and now too long: --end-within */
    struct event *resize;       /* of a terminal's window */
    struct event *signals[NR_SIGNALS];
    int ring_fd;
    bool ring_watched;
    bool ending;  /* in order: the producer was asked to quiesce */
    bool unheard; /* but could not be asked */
    bool over;
    bool failed;             /* the output has, and it was said */
    bool live;               /* there is a live line on the terminal now */
    bool asked;              /* for the ledger so far */
    uint64_t events;         /* handed over so far */
    uint64_t shown;          /* of them, those that the filter passes */
    struct order *order;     /* --sort; NULL: lines go out as they come */
    struct output unordered; /* lines that `order` has not got yet */
    struct event *release;   /* something was held for long enough */
    struct event *pause;     /* --slow: time to go on */
    bool pausing;
    double start;
    uint64_t tick_events; /* and when, as of the live line */
    double tick_time;
};

double loop_now(void);
void loop_finish(struct loop *loop, enum ending ending);

/* No more new events, please; those on their way are still answered. */
void loop_begin_ending(struct loop *loop);

/* Before anything else is written on the terminal. */
void loop_clear_live_line(struct loop *loop);

/* Shows the ledger as it stands; a signal has asked for it. */
void loop_show_ledger(struct loop *loop);

/* Signals and timers.  0 or -ENOMEM. */
int loop_watch_for_the_end(struct loop *loop);
void loop_unwatch_the_end(struct loop *loop);

#endif /* AGENT_LOOP_H */
