/* SPDX-License-Identifier: MIT */
/*
 * producer_parts.h: what producer.c, collect.c and foreign.c have of each
 * other.
 */
#ifndef VMRING_CORE_PRODUCER_PARTS_H
#define VMRING_CORE_PRODUCER_PARTS_H

#include "producer.h"

static inline struct vmr_bell_tx *vmr_bell_of(struct vmr_producer *producer,
                                              uint32_t v)
{
    return &producer->bells[vmr_group_of(&producer->geo, v)];
}

/* Makes the next request of a vCPU visible, if it is not. */
void vmr_post_next(struct vmr_producer *producer, uint32_t vcpu);

/* A request of this deadline is now first of its vCPU's. */
void vmr_expect_by(struct vmr_producer *producer, uint64_t deadline);

/* A cursor that is a lie is found wherever it is read. */
void vmr_count_fault(struct vmr_producer *producer, uint32_t lane);

/*
 * The lane of no vCPU, by its lock: foreign.c says who holds it for what.  The
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
