/* SPDX-License-Identifier: MIT */
/*
 * ring.h: a consumer's handle, below all files of its end.  From the top:
 *
 *   attach.c, ask.c     attaches, or only asks, and detaches
 *   connect.c           finds the producer of a URI
 *   refused.c           why a producer refuses
 *   worker.c, next.c    what a worker's thread, and the ring's own, take
 *   control.c           what is asked of the producer
 *   drain.c             epochs before
 *   respond.c           answers
 *   counts.c            sums
 *   groups.c            what one thread does with its groups
 *   told.c, target.c    what the threads tell each other; the target
 */
#ifndef VMRING_CONSUMER_RING_H
#define VMRING_CONSUMER_RING_H

#include <stdbool.h>
#include <sys/types.h>

#include "../base/log.h"
#include "../core/atomic.h"
#include "../core/consumer.h"
#include "../transport/transport.h"

/* What has ended; each is another reason to look at everything again. */
enum end { END_NONE, END_TARGET, END_PRODUCER };

/* What the header says of the target: the producer can write anything. */
struct target {
    uint32_t state;  /* XEN_VM_RING_TARGET_* */
    uint32_t reason; /* 0 unless it has shut down or is destroyed */
};

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

/* What was handed out of a lane, by the one thread whose it is: groups.c. */
struct handed {
    struct {
        uint64_t requests, records;
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
    bool (*interrupted)(void *ctx); /* or NULL */
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
    uint64_t before_lost; /* its lost word, as of the last record taken */
};

/* A group of a ring that a thread of its own takes events of. */
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

/* Between two looks whether to go on waiting. */
#define LOOK_MS 100

/* Its user does not want to wait any longer. */
static inline bool consumer_is_interrupted(const struct vmring *ring)
{
    return ring->interrupted && ring->interrupted(ring->interrupted_ctx);
}

/* A count that another thread may be reading: vmring_get_stats() and such. */
static inline void count_up(uint64_t *count, uint64_t by)
{
    /* Stored by this thread alone, and read as a value alone. */
    vmr_store_relaxed(count, *count + by);
}

#endif /* VMRING_CONSUMER_RING_H */
