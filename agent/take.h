/* SPDX-License-Identifier: MIT */
/*
 * take.h: one event: judged, answered, counted, shown, in this order.
 */
#ifndef AGENT_TAKE_H
#define AGENT_TAKE_H

#include "policy/answer.h"
#include "run.h"

/* A thread's own, to take events with; no other writes to it. */
struct taker {
    struct run *run;
    struct vmring_worker *worker; /* NULL: of run->ring itself */
    struct ledger *ledger;
    struct output *out;
    bool has_start; /* of run->origin, as far as this thread knows */
    uint64_t start_ns;
    int64_t start_wall;
    uint64_t *before; /* --time=delta: of each lane, the last event's time */
};

/* 0 or -ENOMEM; then too it can be closed. */
int taker_open(struct taker *taker, struct run *run, struct ledger *ledger,
               struct output *out);
void taker_close(struct taker *taker);

/* Answers and counts.  Without a verdict its vCPU does not wait. */
struct answer take_event(struct taker *taker, const struct vmring_event *event);

/* Does the filter let it be shown?  Then the summary of -c counts it, too. */
bool count_if_wanted(struct taker *taker, const struct vmring_event *event);

/* Writes its line, unless with -q. */
void show_event(struct taker *taker, const struct vmring_event *event,
                struct answer answer);

#endif /* AGENT_TAKE_H */
