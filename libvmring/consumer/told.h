/* SPDX-License-Identifier: MIT */
/*
 * told.h: what passes between the ring's thread and its workers.
 *
 * Two words.  The ring's thread stores what it was told of all groups (quiet,
 * the producer gone) and then wakes each worker by a descriptor of its own,
 * which the worker clears before it looks: so either it sees the word, or the
 * descriptor is readable when it polls.  The other way round, a worker at its
 * end says so and then pokes the ring.
 */
#ifndef VMRING_CONSUMER_TOLD_H
#define VMRING_CONSUMER_TOLD_H

#include "ring.h"

/* A control message that was not asked for. */
void told_message(struct vmring *ring, uint32_t type);

/* The producer has armed what was asked for: it is quiet no more. */
void told_armed_anew(struct vmring *ring);

/*
 * The producer has broken the protocol (-EPROTO), or counts as gone (any
 * other error).  Returns -EPROTO or -ECONNRESET, from now on sticky.
 */
int told_lost(struct vmring *ring, int err);

/* There is something to look at that no doorbell tells the ring's thread of. */
bool ring_poke(const struct vmring *ring);

void worker_wake(const struct vmring_worker *worker);

/* Has each worker come to its end, since what is told now counts? */
bool workers_have_ended(const struct vmring *ring);

/* By a worker: it has come to its end, as of this word, or goes on. */
void worker_says_ended(struct vmring_worker *worker, bool has, uint64_t told);

/* By a worker: no event that there is may be handed out any more.  -EPROTO. */
int worker_breaks_all(struct vmring *ring);

#endif /* VMRING_CONSUMER_TOLD_H */
