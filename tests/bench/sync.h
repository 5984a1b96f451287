/* SPDX-License-Identifier: MIT */
/*
 * sync.h: one contest for everything that carries a request there and its
 * answer back.
 *
 * A caller asks, with an event that has its registers, and waits for the
 * answer, which has registers too; then it asks the next.  What counts is the
 * time of such a round trip.  Both sides spin, or both sleep and wake each
 * other; kinds of sleeping are compared with themselves alone.
 */
#ifndef VMRING_BENCH_SYNC_H
#define VMRING_BENCH_SYNC_H

#include "bench.h"

/* Words of a request's and of an answer's body: 408 bytes without the seq. */
#define SYNC_WORDS 50
/* Which of them numbers it. */
#define SYNC_NUMBER 42

#define SYNC_CALLER 0
#define SYNC_SERVER 1

/* A way to sleep until the other side wakes one; a wake-up is kept. */
struct sync_wake {
    void *(*make)(void); /* NULL: not to be had */
    void (*end)(void *wake);
    void (*wake)(void *wake, int side);
    void (*sleep)(void *wake, int side);
};

extern const struct sync_wake sync_futex, sync_eventfd, sync_socketpair,
    sync_socketpair_poll;

struct sync_contest;

struct sync_ops {
    /* `wake` is what contest->wake has made.  NULL: not to be had. */
    void *(*make)(const struct sync_contest *contest, void *wake);
    void (*end)(void *state);
    /* A round trip of slot `slot`.  false: the answer is a wrong one. */
    bool (*call)(void *state, uint32_t slot, uint64_t number);
    /* Answers until *done, then is woken once more. */
    void (*serve)(void *state, const uint32_t *done);
};

extern const struct sync_ops sync_handoff, sync_handoff_apart,
    sync_handoff_bits, sync_vmring;

struct sync_contest {
    const struct sync_ops *ops;
    const struct sync_wake *wake; /* NULL: both sides spin */
    uint32_t slots;
    uint32_t active; /* how many of them ask, in turn */
    bool one_cpu;    /* both sides on the first CPU */
};

/* What `run` of a case calls that has a struct sync_contest as its arg. */
enum bench_result sync_run(const struct bench_case *self,
                           const struct bench_env *env,
                           struct bench_sample *sample);

#endif /* VMRING_BENCH_SYNC_H */
