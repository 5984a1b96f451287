/* SPDX-License-Identifier: MIT */
/*
 * groups.h: the groups of a ring that one thread takes events of.
 *
 * The thread that has the ring has all groups, but for those that a worker
 * has; what it does with them is the same.  Nothing that is written here for
 * an event is another thread's to write, or lies in a line with such.
 */
#ifndef VMRING_SHARE_H
#define VMRING_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "../vmring.h"

/* What has ended; each is another reason to look at everything again. */
enum end { END_NONE, END_TARGET, END_PRODUCER };

/* What the header says of the target: the producer can write anything. */
struct target {
    uint32_t state;  /* XEN_VM_RING_TARGET_* */
    uint32_t reason; /* 0 unless it has shut down or is destroyed */
};

struct target target_now(const struct vmring *ring);
/* One that is suspended may go on: only its destruction ends it. */
bool target_is_end(struct target target);
bool target_is_news(struct target target, struct target known);

struct groups {
    uint64_t mask;  /* a bit each */
    uint32_t nr;    /* of them */
    uint32_t group; /* where the round over them is */
    uint32_t turn;  /* events of it since it was its turn */
    bool armed;
    bool long_enough;   /* events have come without a look at the target */
    enum end rescanned; /* for that everything was looked at again */
    struct vmring_stats stats;
} __attribute__((__aligned__(XEN_VM_RING_LINE)));

/* These groups are its, from now on, and none is armed. */
void groups_set(struct vmring *ring, struct groups *groups, uint64_t mask);

/* A count that another thread may be reading: vmring_get_stats() and such. */
void count_up(uint64_t *count, uint64_t by);

/* 1: an event; 0: nothing visible; -EAGAIN: overrun; -EPROTO. */
int groups_next(struct vmring *ring, struct groups *groups,
                struct vmring_event *event);

/* The same, of requests alone. */
bool groups_next_request(struct vmring *ring, struct groups *groups,
                         struct vmring_event *event);

/* true: every group sleeps; false: something has come meanwhile. */
bool groups_arm(struct vmring *ring, struct groups *groups);
void groups_disarm(struct vmring *ring, struct groups *groups);

/*
 * Nothing is visible and the doorbells are armed: is that the end?  `told` is
 * what was told before the last look, `target` is as of now.  0: no; -EAGAIN:
 * look again; else what vmring_next() ends with.
 */
int groups_ended(struct vmring *ring, struct groups *groups, uint64_t told,
                 struct target target);

/* Rings for the answers given so far, where the producer waits for them. */
void groups_flush(struct vmring *ring, struct groups *groups);

#endif /* VMRING_SHARE_H */
