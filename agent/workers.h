/* SPDX-License-Identifier: MIT */
/*
 * workers.h: threads that take events, each of doorbell groups of its own.
 *
 * Each has a ledger and lines of its own, which it hands over whole, a batch at
 * a time, to the one thread that writes.  Lines that are not collected keep
 * their worker from taking events once it has as many again: that thread never
 * has more than so many to hold.
 */
#ifndef AGENT_WORKERS_H
#define AGENT_WORKERS_H

#include "run.h"

struct workers;

/* The lines of some events, of one worker, in the order it took them. */
struct lines {
    struct output out;
    uint64_t events; /* also where they are not to be shown */
    uint64_t shown;  /* those that the filter passes, also with -q */
    size_t *ends;    /* with -n: where the line of each of these ends */
    size_t room;
};

/*
 * Starts as many as the options say; 0, or -errno after a line on standard
 * error.
 */
int workers_start(struct run *run, struct workers **workers);

/* Polls readable when there are lines to collect. */
int workers_fd(const struct workers *workers);

/*
 * Lines that were handed over, or NULL: there are none.  They belong to
 * `workers` and are good until the next call.
 */
struct lines *workers_collect(struct workers *workers);

/* How many of the bytes show the first `nr` of `shown` events. */
size_t lines_len(const struct lines *lines, uint64_t nr);

/* The output's columns are others now; `workers` may be NULL. */
void workers_resized(struct workers *workers);

/*
 * Adds what they were handed so far to *sum, while they go on; `workers` may
 * be NULL.  0; -ETIMEDOUT: one did not answer within a second.
 */
int workers_add_ledgers(struct workers *workers, struct ledger *sum);

/*
 * Ends the threads, wherever they are, and adds their ledgers to the run's.
 * What they had not handed over is collected by `add`.
 */
void workers_stop(struct workers *workers,
                  void (*add)(void *ctx, struct lines *lines), void *ctx);

#endif /* AGENT_WORKERS_H */
