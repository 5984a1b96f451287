/* SPDX-License-Identifier: MIT */
/*
 * handle.h: a producer's handle, below all files of its end.  From the top:
 *
 *   producer.c                 opens, closes, and says how things stand
 *   serve.c                    a turn of the control plane: peers come and go
 *   control.c, negotiate.c     what an attached consumer asks for, what one
 *                              that is to be proposes
 *   epoch.c                    the ring that it is given
 *   refuse.c, frozen.c         or why not; what earlier ones have left
 *   events.c, peers.c          events in and verdicts out; places of consumers
 *   slices.c                   what is done little by little, one slice a turn
 *
 * How a consumer is reached is the transport's (transport/transport.h).
 */
#ifndef VMRING_PRODUCER_HANDLE_H
#define VMRING_PRODUCER_HANDLE_H

#include <sys/types.h>

#include "../base/log.h"
#include "../core/producer.h"
#include "../transport/transport.h"

/* Those that have not attached yet, and the one that has. */
#define MAX_PEERS 8

/*
 * What the control plane can do for a consumer now: what waited for all
 * answers, or for the source.
 */
#define DUE_FORGET     1U /* it has gone, and its region goes */
#define DUE_COUNTS     2U
#define DUE_QUIET      4U
#define DUE_SUBSCRIBED 8U /* or what was held meanwhile */

/* What an attached consumer has. */
struct session {
    struct peer *peer; /* NULL: nobody is attached */
    bool leaving;      /* the last one has gone: its answers are swept */
    bool clean;        /* it had said so */
    bool quiescing;
    bool dismissed;      /* the producer ends: QUIET comes unasked */
    bool subscribing;    /* its SUBSCRIBE has no reply yet */
    bool counting;       /* nor its COUNT */
    bool held;           /* nothing is received from it while the source arms */
    bool collected;      /* what it had answered when it asked for its counts */
    bool releasing;      /* it has detached: its requests wait for nobody */
    unsigned int unsent; /* DUE_*: its channel was full */
    uint64_t retry;      /* when that is due again */
    uint32_t version;    /* in use */
    uint32_t from;       /* the first row that was asked for */
    struct region c;
};

/* Fresh pages of a new epoch, not in use yet. */
struct epoch {
    struct vmr_geometry geo;
    struct region p, c;
};

/* A ring on its way: its memory comes bit by bit. */
struct making {
    struct peer *peer; /* that the ring is for; NULL: there is none */
    struct vmring_local_accept reply;
    struct epoch epoch;
    bool is_made; /* but for its memory */
};

/* Ps of earlier epochs that no consumer has drained, the oldest first. */
struct frozen {
    unsigned int nr;
    struct region p[XEN_VM_RING_MAX_PREV];
    uint64_t *unread; /* by P and lane: published, and no cursor behind it */
};

/* Our own ledger, by lane and reason. */
struct tally {
    uint64_t requests, answered, defaulted, records, discarded;
};

struct vmring_producer {
    struct vmr_producer core;
    void *core_memory;
    struct log log;
    const struct vmring_producer_ops *ops;
    struct vmring_producer_ops ops_copy;
    void *ops_ctx;
    char target[VMRING_LOCAL_NAME];
    uint32_t nr_vcpus, nr_lanes, arch, verdicts, reasons, source;
    uint64_t target_id;
    uint64_t deadline; /* ns; VMR_NO_DEADLINE */
    uint64_t accepted_deadline;
    uint64_t max_async_len;
    unsigned int nr_pending;
    pid_t owner;  /* in a child of it nothing is to be done */
    bool unarmed; /* collect came back without a doorbell to wait for */
    uint64_t epoch;
    uint64_t target_state, target_reason;

    int epoll;
    struct listener *listener; /* NULL: nobody can come */
    struct reopen reopen;
    uint64_t arrivals;
    struct peer *peers[MAX_PEERS]; /* NULL: a place that is free */
    int turn_of;                   /* whose place is looked at first */
    struct session session;
    struct making making;
    int again; /* an eventfd: there is more to do, and nobody else to say so */
    bool slices_are_due;
    struct going going;
    /* What it says, and is told: too large for the caller's stack. */
    unsigned char message[VMRING_LOCAL_MAX];
    struct vmring_local_counts counts;
    /* What the source fills in, perhaps long after it was asked. */
    struct vmring_local_subscribed subscribed;
    int results[VMRING_MAX_SPECS];
    struct region p; /* of the current epoch; outlives the session */
    struct frozen frozen;

    struct tally *tallies;           /* of all epochs */
    struct tally *base;              /* as they were when the epoch began */
    struct vmring_verdict *overflow; /* verdicts that never saw the ring */
    size_t first_overflow, nr_overflow, max_overflow;
    struct vmring_producer_stats stats;
};

static inline struct tally *tally_of(struct vmring_producer *producer,
                                     uint32_t lane, uint32_t reason)
{
    return &producer->tallies[(size_t)lane * XEN_VM_RING_NR_REASONS + reason];
}

/* What a ring of this producer is, whether that was wanted or not. */
static inline uint64_t features_of(const struct vmring_producer *producer)
{
    return XEN_VM_RING_FEATURE_REGISTERS |
           (producer->nr_lanes > producer->nr_vcpus
                ? XEN_VM_RING_FEATURE_FOREIGN
                : 0);
}

/* Is the source still at the last that was asked of it? */
static inline bool source_is_quiet(const struct vmring_producer *producer)
{
    return !producer->ops->quiet || producer->ops->quiet(producer->ops_ctx);
}

static inline bool source_is_arming(const struct vmring_producer *producer)
{
    return producer->ops->arming && producer->ops->arming(producer->ops_ctx);
}

#endif /* VMRING_PRODUCER_HANDLE_H */
