/* SPDX-License-Identifier: MIT */
/*
 * doorbell.h: who looks where, and who is rung.
 *
 * vCPUs and lanes are dealt to groups, each with one consumer thread.  The
 * producer pushes any number, then flushes: it sets attention bits and rings
 * only a consumer that has armed.  Answers come back the same way.
 * docs/ABI.md, "Doorbells", argues that no wake-up is lost.
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
/* The same, wrapping. */
bool vmr_bits_next(struct vmr_bits *bits, uint32_t from, uint32_t *bit);

/* The producer's end of a group. */
struct vmr_bell_tx {
    struct xen_vm_ring_p_group *answers; /* ours: armed for answers */
    struct xen_vm_ring_c_group *line;    /* C: the consumer's armed word */
    xen_vm_ring_u64 *attn_request, *attn_lane, *answered; /* C: hint bits */
    struct vmr_bits requests, lanes; /* posted, pushed since the last flush */
    struct vmr_bits verdicts;        /* answered, to be looked at */
    uint32_t nr_vcpus;               /* of this group */
    uint64_t arming;                 /* the last number that we armed with */
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
    VMR_FLUSH_QUIET, /* nothing new, or the consumer is awake */
    VMR_FLUSH_RING,  /* ring its doorbell, once */
    VMR_FLUSH_FAULT, /* the consumer kept us from a bounded exchange */
};

/* Tells the consumer of the requests and lanes that were marked. */
enum vmr_flush vmr_bell_flush(struct vmr_bell_tx *tx);

/*
 * The same for one lane, nothing being marked: it touches no private state
 * but pointers, so several threads may call it at once.
 */
enum vmr_flush vmr_bell_flush_lane(struct vmr_bell_tx *tx, uint32_t bit);

/* Rings for something that has no attention bit, such as a state word. */
enum vmr_flush vmr_bell_wake(struct vmr_bell_tx *tx);

/* Moves the answered bits of C into `verdicts`.  false: fault. */
bool vmr_bell_fetch_answers(struct vmr_bell_tx *tx);

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
};

/* The first pass looks at everything. */
void vmr_bell_rx_init(struct vmr_bell_rx *rx, const struct vmr_geometry *geo,
                      uint32_t group, const void *p, void *c, uint64_t *words);

/* Moves the attention bits into `requests` and `lanes`.  false: fault. */
bool vmr_bell_refill(struct vmr_bell_rx *rx);

/*
 * Before sleeping: arms, then looks again.  true: sleep, the doorbell will
 * ring; false: something is there, and it is disarmed again.
 */
bool vmr_bell_arm(struct vmr_bell_rx *rx);
void vmr_bell_disarm(struct vmr_bell_rx *rx);

/* Tells the producer of the answers given.  true: ring it, once. */
bool vmr_bell_flush_answers(struct vmr_bell_rx *rx);

#endif /* VMRING_CORE_DOORBELL_H */
