/* SPDX-License-Identifier: MIT */
/*
 * groups.h: what one thread does with its groups.
 *
 * The thread that has the ring has all groups, but for those that a worker
 * has; what it does with them is the same.  Nothing that is written here for
 * an event is another thread's to write, or lies in a line with such.
 */
#ifndef VMRING_CONSUMER_GROUPS_H
#define VMRING_CONSUMER_GROUPS_H

#include "ring.h"

/* These groups are its, from now on, and none is armed. */
void groups_set(struct vmring *ring, struct groups *groups, uint64_t mask);

/* 1: an event; 0: nothing visible; -EAGAIN: overrun; -EPROTO. */
int groups_next(struct vmring *ring, struct groups *groups,
                struct vmring_event *event);

/* A request, and no record; false: there is none. */
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

#endif /* VMRING_CONSUMER_GROUPS_H */
