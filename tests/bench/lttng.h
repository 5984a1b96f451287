/* SPDX-License-Identifier: MIT */
/*
 * lttng.h: LTTng-UST as a contestant.
 *
 * LTTng starts threads in whoever is linked with it and finds its daemon at a
 * fixed place.  So that neither is left to others, vmring-bench has its runs
 * done by a program of their own, bench_lttng, in a room of their own: mount
 * and PID namespaces with their own /run and /dev/shm.  Whatever ends the
 * bench, nothing stays behind.
 */
#ifndef VMRING_BENCH_LTTNG_H
#define VMRING_BENCH_LTTNG_H

#include "queue.h"

/* What the bench writes to bench_lttng's input: one run. */
struct lttng_order {
    struct queue_plan plan;
    uint64_t run_ns;
    int cpus[2];
    bool overwrite;
};

/* What bench_lttng writes to its output. */
struct lttng_answer {
    enum bench_result result;
    uint64_t attempted, delivered;
    uint64_t wrong;     /* records torn, repeated or out of order */
    uint64_t discarded; /* as LTTng counts them */
    uint64_t run_ns;    /* from the first tracepoint until all is written */
    uint64_t stop_ns;   /* of these, after the last producer has ended */
    uint64_t busy_ns;   /* all producers' time */
    bool is_last;       /* there is no room; `why` says what it lacks */
    char why[200];
};

/* LTTng's daemon and bench_lttng; `in` is what it reads. */
struct lttng_room {
    pid_t pid;
    int in, out;
};

/* false: not to be had; `why` says what was missing. */
bool lttng_room_open(struct lttng_room *room, const int cpus[2], char *why,
                     size_t len);
/* Everything in it ends; by itself, unless it hangs. */
void lttng_room_close(struct lttng_room *room, bool hangs);

/* What a trace holds. */
struct lttng_counted {
    uint64_t delivered, wrong;
};

/* Reads the trace under `folder` back.  false: it cannot be read. */
bool lttng_trace_count(const char *folder, size_t len,
                       struct lttng_counted *counted);

#endif /* VMRING_BENCH_LTTNG_H */
