/* SPDX-License-Identifier: MIT */
/* worker.h: a group of a ring that a thread of its own takes events of. */
#ifndef VMRING_WORKER_H
#define VMRING_WORKER_H

#include "consumer.h"

struct vmring_worker {
    /*
     * Not 0: it has come to its end, when this many subscriptions, less one,
     * were told of.  The ring's thread reads it, before it sleeps.
     */
    uint64_t ended;
    struct vmring *ring;
    uint32_t group;
    int epoll; /* its doorbell and the wake */
    int wake;  /* an eventfd: come again without a doorbell */
    struct target seen;
    struct groups groups; /* in lines of its own */
};

/* counts.c: sums up; `to` is this thread's. */
void counts_add(struct vmring_stats *to, const struct vmring_stats *from);

#endif /* VMRING_WORKER_H */
