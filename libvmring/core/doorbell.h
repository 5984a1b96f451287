/* SPDX-License-Identifier: MIT */
/*
 * doorbell.h: bits say where to look; a side that sleeps is rung.
 *
 * vCPUs and lanes are dealt to groups, each with one consumer thread.  The
 * producer pushes any number, then flushes: it sets attention bits and rings
 * only a consumer that has armed.  Answers come back the same way.
 * docs/ABI-WHY.md, "Doorbells", argues that no wake-up is lost.
 */
#ifndef VMRING_CORE_DOORBELL_H
#define VMRING_CORE_DOORBELL_H

#include "geometry.h"

/* Words of a bitmap for all lanes, one group: 4097 bits. */
#define VMR_BITMAP_WORDS (XEN_VM_RING_MAX_VCPUS / 64 + 1)

/* A private bitmap of a group, and the range of words that may be set. */
struct vmr_bits {
    uint64_t *words;
    uint32_t nr_words;
    uint32_t low, high; /* low == high: empty */
};

void vmr_bits_init(struct vmr_bits *bits, uint64_t *words, uint32_t nr_words);
void vmr_bits_set(struct vmr_bits *bits, uint32_t bit);
void vmr_bits_set_all(struct vmr_bits *bits, uint32_t nr);
void vmr_bits_clear(struct vmr_bits *bits, uint32_t bit);
/* The lowest bit that is set at or after `from`; false: none. */
bool vmr_bits_from(const struct vmr_bits *bits, uint32_t from, uint32_t *bit);
/* The next at or after `from`, then from the lowest on; false: none. */
bool vmr_bits_next(struct vmr_bits *bits, uint32_t from, uint32_t *bit);

/*
 * Read-modify-writes of words that the peer writes, too, which this side has
 * begun and ended.  Where they are bounded loops (LL/SC), it tells whether
 * threads of ours were in each other's way, or the peer in ours.  Private.
 */
struct vmr_rmws {
    xen_vm_ring_u64 begun, ended;
};

/* What became of one. */
enum vmr_rmw {
    VMR_RMW_DONE,
    VMR_RMW_OURS, /* not done, and it may have been for others of ours */
    VMR_RMW_PEER, /* not done: nobody but the peer can have kept us from it */
};

/* The producer's end of a group. */
struct vmr_bell_tx {
    struct xen_vm_ring_p_group *answers; /* ours: armed for answers */
    struct xen_vm_ring_c_group *line;    /* C: the consumer's armed word */
    xen_vm_ring_u64 *attn_request, *attn_lane, *answered; /* C: hint bits */
    uint32_t nr_vcpus;                                    /* of this group */
    struct vmr_rmws *ours; /* of our threads that write this C */
    struct vmr_rmws own;   /* `ours`, unless it is set to another */
    /*
     * What was posted and pushed since the last flush.  From here on it is
     * apart from what vCPUs read that are threads of their own.
     */
    struct vmr_bits requests __attribute__((__aligned__(XEN_VM_RING_LINE)));
    struct vmr_bits lanes;
    struct vmr_bits fetched; /* fetched, to be looked at */
    uint64_t arming;         /* the last number that we armed with */
    bool owing;              /* bits are set, and nobody was rung */
    bool broken;             /* vcpu.c's: its answers cannot be fetched */
};

/* Memory for the bitmaps of all groups: this many words. */
static inline uint32_t vmr_bell_words(uint32_t nr_lanes)
{
    return 3 * (nr_lanes / 64 + 2 * XEN_VM_RING_MAX_GROUPS + 1);
}

/* Uses 3 * vmr_bitmap_words() of `words`; they are zeroed. */
void vmr_bell_tx_init(struct vmr_bell_tx *tx, const struct vmr_geometry *geo,
                      uint32_t group, void *p, void *c, uint64_t *words);

enum vmr_flush {
    VMR_FLUSH_QUIET,  /* nothing new, or the consumer is awake */
    VMR_FLUSH_RING,   /* ring its doorbell, once */
    VMR_FLUSH_BROKEN, /* the peer kept us from a bounded exchange */
    VMR_FLUSH_AGAIN,  /* others of ours did: flush again */
};

/* Tells the consumer of the requests and lanes that were marked. */
enum vmr_flush vmr_bell_flush(struct vmr_bell_tx *tx);

/*
 * Tells the consumer of one lane, or of one vCPU's request, nothing being
 * marked: they touch no private state but pointers, so several threads may call
 * them at once.  *owing is the lane's or the slot's, false at first: its bit is
 * set, and nobody was rung.
 */
enum vmr_flush vmr_bell_flush_lane(struct vmr_bell_tx *tx, uint32_t bit,
                                   bool *owing);
enum vmr_flush vmr_bell_flush_request(struct vmr_bell_tx *tx, uint32_t bit,
                                      bool *owing);

/* Is anything left to flush? */
static inline bool vmr_bell_is_owing(const struct vmr_bell_tx *tx)
{
    return tx->owing || tx->requests.low != tx->requests.high ||
           tx->lanes.low != tx->lanes.high;
}

/* Rings for something that has no attention bit, such as a state word. */
enum vmr_flush vmr_bell_wake(struct vmr_bell_tx *tx);

/* Moves the answered bits of C into `fetched`, or leaves some where they are.
 */
enum vmr_rmw vmr_bell_fetch_answers(struct vmr_bell_tx *tx);

/*
 * Asks to be rung for answers.  Afterwards the caller looks once more with
 * vmr_bell_fetch_answers().
 */
void vmr_bell_arm_answers(struct vmr_bell_tx *tx);
void vmr_bell_disarm_answers(struct vmr_bell_tx *tx);

/* The consumer's end of a group. */
struct vmr_bell_rx {
    const struct xen_vm_ring_p_group *answers;
    struct xen_vm_ring_c_group *line;
    xen_vm_ring_u64 *attn_request, *attn_lane, *answered;
    struct vmr_bits requests, lanes; /* to be looked at */
    struct vmr_bits given;           /* answers given since the last flush */
    uint32_t nr_vcpus, nr_lanes;     /* of this group */
    uint64_t rung;                   /* the arming that was rung for last */
    struct vmr_rmws *ours;           /* as a vmr_bell_tx's */
    struct vmr_rmws own;
};

/* The first pass looks at everything. */
void vmr_bell_rx_init(struct vmr_bell_rx *rx, const struct vmr_geometry *geo,
                      uint32_t group, const void *p, void *c, uint64_t *words);

/*
 * Moves the attention bits into `requests` and `lanes`, or leaves those that
 * others of ours kept us from for the next time: vmr_bell_arm() sees them.
 * false: fault.
 */
bool vmr_bell_refill(struct vmr_bell_rx *rx);

/*
 * Before sleeping: arms, then looks again.  true: sleep, the doorbell will
 * ring; false: something is there, and it is disarmed again.
 */
bool vmr_bell_arm(struct vmr_bell_rx *rx);
void vmr_bell_disarm(struct vmr_bell_rx *rx);

/*
 * Tells the producer of the answers given.  What it could not tell of
 * (VMR_FLUSH_BROKEN, VMR_FLUSH_AGAIN) stays in `given`.
 */
enum vmr_flush vmr_bell_flush_answers(struct vmr_bell_rx *rx);

#endif /* VMRING_CORE_DOORBELL_H */
