/* SPDX-License-Identifier: MIT */
/*
 * rig.h: a ring in this process: both regions between pages that nobody may
 * touch, and both ends of it.
 */
#ifndef VMRING_TESTS_RIG_H
#define VMRING_TESTS_RIG_H

#include "check.h"
#include "core/atomic.h"
#include "core/consumer.h"
#include "core/producer.h"

struct rig {
    struct vmr_geometry geo;
    unsigned char *p, *c;
    struct vmr_producer tx;
    struct vmr_consumer rx;
    void *tx_memory, *rx_memory;
    uint64_t now; /* that rig_collect() gives */
};

/* `len` zeroed bytes, whole pages; a step out of them is a SIGSEGV. */
void *guarded(size_t len);

/* A geometry of `slots` records a lane; check failure if it is refused. */
struct vmr_geometry rig_geometry(uint32_t nr_vcpus, uint32_t nr_groups,
                                 uint32_t policy, uint32_t slots);

/* Both ends, attached.  The rig is zero, or has been made before. */
void rig_make(struct rig *rig, const struct vmr_geometry *geo);

/* A new epoch in fresh regions; the old ones stay where they are. */
void rig_attach(struct rig *rig);

/* Zeroed, but for what is given; length is that of a head. */
struct xen_vm_ring_event rig_event(uint32_t reason, uint32_t vcpu,
                                   uint64_t number);
/* A request with that event; `number` is its cookie too. */
struct vmr_request rig_request(uint32_t vcpu, uint64_t number,
                               uint64_t deadline);

/* A push that is shown at once, as by a flush of that lane alone. */
bool rig_push(struct rig *rig, uint32_t lane,
              const struct xen_vm_ring_event *event);

bool rig_collect(struct rig *rig, struct vmr_verdict *verdict);

/* The neutral answer, given and flushed; true: the doorbell was rung. */
bool rig_answer(struct rig *rig, const struct xen_vm_ring_event *event,
                uint32_t vcpu);

struct xen_vm_ring_lane *rig_lane(struct rig *rig, uint32_t lane);
struct xen_vm_ring_cursor *rig_cursor(struct rig *rig, uint32_t lane);
struct xen_vm_ring_response *rig_response(struct rig *rig, uint32_t vcpu);
struct xen_vm_ring_event *rig_slot(struct rig *rig, uint32_t vcpu);
struct xen_vm_ring_c_group *rig_group(struct rig *rig, uint32_t group);
xen_vm_ring_u64 *rig_answered(struct rig *rig, uint32_t group);

/* The same sequence for the same seed. */
uint32_t rig_random(uint64_t *state);

#endif /* VMRING_TESTS_RIG_H */
