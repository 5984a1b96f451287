/* SPDX-License-Identifier: MIT */
/*
 * state.h: what the parts of the bridge's loop share.
 *
 *   bridge.c        phases and turns: when what is done
 *   serve.c         the producer: what consumers ask for, and where
 *   agent_domain.c  the domain of --to
 *   wake.c          what wakes the loop
 *   title.c         what `ps` says of it
 */
#ifndef BRIDGE_LOOP_STATE_H
#define BRIDGE_LOOP_STATE_H

#include <event2/event.h>

#include "../signals.h"
#include "bridge.h"
#include "memory.h"
#include "report.h"
#include "turns.h"

enum phase { SERVING, TELLING, ENDING, OVER };

struct bridge {
    const struct bridge_options *options;
    const struct source_ops *ops;
    void *source;
    struct source_info info;
    struct vmring_producer *producer;

    struct event_base *base;
    struct event *timer, *producer_event, *signals[NR_SIGNALS];
    struct event *source_events[SOURCE_MAX_FDS];

    uint32_t agents;  /* the domain of --to */
    char socket[108]; /* where it serves, a path or with --to a name, or "" */
    enum phase phase;
    int status;
    int nr_signals;
    bool dispatch;    /* the producer's descriptor is readable */
    bool serves_none; /* vmring_producer_dispatch() said so */
    bool gone;        /* a consumer has left since the last turn */
    unsigned int nr_armed;
    const int *results; /* of what the source is still arming, or NULL */
    unsigned int target_state, target_reason;
    int64_t linger_until; /* ms; 0: nobody is waited for */
    int64_t tell_until;
    struct report report;
    struct turns turns;
    int stats; /* where they are written, or -1 */
    struct memory room;
};

/* Each returns an exit status, having logged a line if it is not 0. */

/* wake.c: signals and timer; before a source is open, so that none
 * ends us with a ring enabled. */
int bridge_set_up_loop(struct bridge *bridge);
/* The descriptors of the producer and the source. */
int bridge_watch(struct bridge *bridge);
void bridge_drop_event(struct event **event);
/* Before their descriptors are closed. */
void bridge_unwatch(struct bridge *bridge);
void bridge_tear_down_loop(struct bridge *bridge);

/* title.c: `attached`: a consumer is. */
void bridge_title(const struct bridge *bridge, bool attached);

/* agent_domain.c: the domain whose agents are to be served. */
int bridge_find_agents(struct bridge *bridge);

/* serve.c */
int bridge_open_producer(struct bridge *bridge);
int bridge_serve(struct bridge *bridge);
void bridge_disarm(struct bridge *bridge);
void bridge_tell_ready(struct bridge *bridge);

#endif /* BRIDGE_LOOP_STATE_H */
