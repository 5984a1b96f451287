/* SPDX-License-Identifier: MIT */
/* consumer.h: a consumer's handle, shared by the files of its end. */
#ifndef VMRING_CONSUMER_H
#define VMRING_CONSUMER_H

#include <sys/types.h>

#include "../base/log.h"
#include "../core/atomic.h"
#include "../core/consumer.h"
#include "../transport/transport.h"
#include "groups.h"

struct vmring_worker;

/* What was handed out of a lane, by the one thread whose it is: groups.c. */
struct handed {
    struct {
        uint64_t taken, pulled;
    } of[XEN_VM_RING_NR_REASONS];
    uint32_t lost; /* the lost word of the last record */
} __attribute__((__aligned__(XEN_VM_RING_LINE)));

/*
 * What the thread that has the ring knows and the workers do not: they look,
 * each before it sleeps, and are woken for it.  A line that is read for every
 * event and hardly ever written.
 */
#define TOLD_QUIET 1ULL /* the producer has said so, since... */
#define TOLD_GONE  2ULL /* the producer is gone */
#define TOLD_STEP  4ULL /* ...this many subscriptions ago it counted anew */

struct told {
    uint64_t word;   /* written by the ring's own thread */
    uint64_t broken; /* not 0: -EPROTO for all; written by any */
} __attribute__((__aligned__(XEN_VM_RING_LINE)));

struct vmring {
    struct groups own; /* what is no worker's */
    struct told told;
    struct vmr_lane_rx before_lane; /* being drained, see below */

    struct vmr_consumer core;
    void *core_memory;
    struct handed *handed; /* by lane */
    struct link *link;
    struct region p, c;
    struct log log;
    int timeout_ms;
    int (*interrupted)(void *ctx); /* or NULL */
    void *interrupted_ctx;
    int epoll; /* the link's descriptor and the poke */
    int poke;  /* an eventfd of our own: come again without a doorbell */
    bool poked;
    pid_t owner; /* in a child of it nothing is to be done */
    char target[VMRING_LOCAL_NAME];
    uint32_t allowed_verdicts; /* by the producer, whatever we asked for */
    int lost;                  /* 0, -ECONNRESET or -EPROTO; sticky */

    struct vmring_worker *workers[XEN_VM_RING_MAX_GROUPS]; /* or NULL */
    uint32_t nr_workers;

    struct target shown; /* as the caller was told last */

    /* Epochs before, frozen, drained before our own records: drain.c. */
    struct region before[XEN_VM_RING_MAX_PREV];
    unsigned int nr_before;
    unsigned int before_at; /* the one being drained */
    struct vmr_geometry before_geo;
    uint32_t before_next; /* the lane after the one being drained; 0: none */
    uint64_t before_left; /* pulls left to that lane */
    uint64_t before_lost; /* its lost word, as of the last record pulled */
};

/* Between two looks whether to go on waiting. */
#define LOOK_MS 100

/* Its user does not want to wait any longer. */
static inline bool consumer_is_interrupted(const struct vmring *ring)
{
    return ring->interrupted && ring->interrupted(ring->interrupted_ctx);
}

/* Zeroed, from a line of its own on; free() takes it.  NULL: no memory. */
void *line_alloc(size_t len);

/*
 * A consumer of these regions, whose geometry was accepted: all groups are
 * the ring's own.  -ENOMEM.
 */
int consumer_set_up(struct vmring *ring, const struct vmr_geometry *geo);

/* A control message that was not asked for. */
void consumer_message(struct vmring *ring, uint32_t type);

/* The producer has armed what was asked for: it is quiet no more. */
void consumer_armed_anew(struct vmring *ring);

/*
 * The producer has broken the protocol (-EPROTO), or counts as gone (any
 * other error).  Returns -EPROTO or -ECONNRESET, from now on sticky.
 */
int consumer_lose(struct vmring *ring, int err);

/* Stores an answer to a request of one of the share's groups, counted. */
int consumer_respond(struct vmring *ring, struct groups *groups,
                     const struct vmring_event *event,
                     const struct xen_vm_ring_response *response);

/* What consumers before us had not read, lane by lane.  false: no more. */
bool drain_next(struct vmring *ring, struct vmring_event *event);

/* There is something to look at that no doorbell tells the ring's thread of. */
bool consumer_poke(const struct vmring *ring);

/* Wakes all workers: something was told, or broken. */
void workers_wake(struct vmring *ring);

/* Has each of them come to its end, since what is told now counts? */
bool workers_ended(const struct vmring *ring);

#endif /* VMRING_CONSUMER_H */
