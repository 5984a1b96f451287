/* SPDX-License-Identifier: MIT */
/*
 * producer.h: a producer's handle, shared by producer.c (events and
 * verdicts), serve.c (who comes and goes), negotiate.c (terms), epoch.c (the
 * ring that is granted) and control.c (what an attached consumer asks for). How
 * a consumer is reached is the transport's (transport/transport.h).
 */
#ifndef VMRING_PRODUCER_H
#define VMRING_PRODUCER_H

#include <sys/types.h>

#include "../base/log.h"
#include "../core/producer.h"
#include "../transport/transport.h"

/* Those that have not attached yet, and the one that has. */
#define MAX_PEERS 8

/* What an attached consumer has. */
struct session {
    struct peer *peer; /* NULL: nobody is attached */
    bool leaving;      /* the last one has gone: its answers are swept */
    bool clean;        /* it had said so */
    bool quiescing;
    bool subscribing; /* its SUBSCRIBE has no answer yet */
    bool counting;    /* nor its COUNT */
    bool held;        /* nothing is received from it while the source arms */
    uint32_t version; /* in use */
    uint32_t from;    /* the first row that was asked for */
    struct region c;
};

/* Fresh pages of a new epoch, not in use yet. */
struct epoch {
    struct vmr_geometry geo;
    struct region p, c;
};

/* A ring on its way: its memory comes bit by bit. */
struct making {
    struct peer *peer; /* whom it is for; NULL: there is none */
    struct vmring_local_accept answer;
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
    bool comes_again;
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

/* negotiate.c: answers a proposal, or has a ring made if it is accepted. */
void negotiate_answer(struct vmring_producer *producer, struct peer *peer,
                      const void *body, size_t len);
/* Refuses a peer at the door. */
void negotiate_refuse(struct vmring_producer *producer, struct peer *peer,
                      uint32_t why);

/* Refuses what it has proposed; `answer` has what it may know. */
void negotiate_deny(struct vmring_producer *producer, struct peer *peer,
                    struct vmring_local_accept *answer, uint32_t why);

/* epoch.c: makes a ring for it, slice by slice; then it is attached. */
void epoch_make(struct vmring_producer *producer, struct peer *peer,
                const struct vmring_local_accept *answer);
/* The next slice, and of what goes.  At the end of each turn. */
void epoch_go_on(struct vmring_producer *producer);
/* Whom it was made for has gone. */
void epoch_abandon(struct vmring_producer *producer);
/* Drops a region of an earlier epoch. */
void epoch_drop(struct vmring_producer *producer, struct region *region);
/* All that was dropped goes now. */
void epoch_close(struct vmring_producer *producer);

/* frozen.c: what a successor gets besides its own P. */
int frozen_open(struct vmring_producer *producer);
void frozen_close(struct vmring_producer *producer);
/*
 * The current P, if there is one, becomes the last of the frozen.  Those that
 * are too many by then are given up, and what they hold is counted lost.
 */
void frozen_add(struct vmring_producer *producer);
/* There is no successor after all: the last of the frozen is current again. */
void frozen_take_back(struct vmring_producer *producer);
/* A consumer has read all that it was handed. */
void frozen_drop(struct vmring_producer *producer);

/*
 * control.c: one message of the attached consumer.  -EPROTO: hang up.  Behind
 * the body is room for a byte.
 */
int control_message(struct vmring_producer *producer, uint32_t type, void *body,
                    size_t len);
/* Says that the target is quiet, once it is, if the consumer has asked. */
void control_say_quiet(struct vmring_producer *producer);
/* Arms nothing any more. */
void control_disarm(struct vmring_producer *producer);
/* Is the source still at the last that was asked of it? */
bool control_is_arming(const struct vmring_producer *producer);
/* Answers a SUBSCRIBE, once the source has done it.  -EPROTO: hang up. */
int control_say_subscribed(struct vmring_producer *producer);
/* Answers a COUNT, once what was answered is collected.  -EPROTO: hang up. */
int control_say_counts(struct vmring_producer *producer);

/* serve.c: */
/* Hangs up on a peer that is not attached, or no longer. */
void serve_drop(struct vmring_producer *producer, struct peer *peer);
/* The sweep is over: the consumer's region goes. */
void serve_forget_session(struct vmring_producer *producer);
/* There was one connection, and it has gone: nothing will poll readable. */
bool serve_is_over(const struct vmring_producer *producer);
/* What was held while the source armed is received again, if it has done. */
void serve_go_on(struct vmring_producer *producer);
void serve_close(struct vmring_producer *producer);

#endif /* VMRING_PRODUCER_H */
