/* SPDX-License-Identifier: MIT */
/*
 * producer_parts.h: what the files of the producer's end have of each other.
 * A file calls those before it: lane_foreign.c, producer.c, answer.c,
 * deadline.c, collect.c; vcpu.c calls the first three.
 */
#ifndef VMRING_CORE_PRODUCER_PARTS_H
#define VMRING_CORE_PRODUCER_PARTS_H

#include "producer.h"

static inline struct vmr_bell_tx *vmr_bell_of(struct vmr_producer *producer,
                                              uint32_t v)
{
    return &producer->bells[vmr_group_of(&producer->geo, v)];
}

/*
 * A request of this deadline is now its vCPU's first: vmr_expire() is not to
 * come later.
 */
static inline void vmr_expect_by(struct vmr_producer *producer,
                                 uint64_t deadline)
{
    if (deadline < producer->next_deadline)
        producer->next_deadline = deadline;
    /* A scan that is under way may have passed its vCPU. */
    if (deadline < producer->scan_deadline)
        producer->scan_deadline = deadline;
}

/* A lane whose cursor was a lie is counted once, wherever it was read. */
static inline void vmr_count_fault(struct vmr_producer *producer, uint32_t lane)
{
    struct vmr_lane_tx *tx = &producer->lanes[lane];

    if ((tx->faulted || tx->kept_from) && !tx->fault_counted) {
        tx->fault_counted = true;
        producer->lane_faults++;
    }
}

/* producer.c: makes the next request of a vCPU visible, if it is not. */
void vmr_post_next(struct vmr_producer *producer, uint32_t vcpu);

/*
 * producer.c: nothing of C is read any more.  false: a push into the foreign
 * lane is under way, in another thread; nothing was done.
 */
bool vmr_let_go(struct vmr_producer *producer);

/*
 * answer.c: the answer to the visible request of a slot, a copy, if it is there
 * and right.  *wrong: there is one, and it breaks a rule.
 */
bool vmr_find_answer(const struct vmr_producer *producer,
                     const struct vmr_slot_tx *slot,
                     struct xen_vm_ring_response *response, bool *wrong);

/* answer.c: the neutral verdict of a request. */
void vmr_neutral(const struct vmr_request *request,
                 struct xen_vm_ring_response *response);

/*
 * answer.c: the vCPU's first request has its verdict: it is taken out, and the
 * next one posted.
 */
void vmr_retire(struct vmr_producer *producer, uint32_t vcpu,
                struct vmr_verdict *verdict);

/*
 * answer.c: the answer to the visible request of a vCPU, if it is there and
 * right.  `hint`: its bit has led us here.
 */
bool vmr_collect_one(struct vmr_producer *producer, uint32_t vcpu, bool hint,
                     struct vmr_verdict *verdict);

/*
 * deadline.c: goes through what is pending, once a deadline may have passed.
 */
bool vmr_expire(struct vmr_producer *producer, uint64_t now,
                struct vmr_verdict *verdict);

/*
 * The foreign lane, by its lock: lane_foreign.c says what it is held for.  The
 * last two return false if a push has it: nothing was done, try again later.
 */
static inline bool vmr_has_foreign(const struct vmr_producer *producer)
{
    return producer->nr_lanes > producer->nr_vcpus;
}

bool vmr_foreign_push(struct vmr_producer *producer,
                      const struct xen_vm_ring_event *event);
void vmr_foreign_tell(struct vmr_producer *producer);
void vmr_foreign_open(struct vmr_producer *producer, bool first);
void vmr_foreign_reopen(struct vmr_producer *producer);
bool vmr_foreign_freeze(struct vmr_producer *producer);
bool vmr_foreign_detach(struct vmr_producer *producer);

#endif /* VMRING_CORE_PRODUCER_PARTS_H */
