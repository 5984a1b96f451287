/* SPDX-License-Identifier: MIT */
/* vcpu.c: a vCPU's synchronous requests, by the vCPU itself. */
#include "vcpu.h"

#include "atomic.h"
#include "producer_parts.h"

struct vmr_request *vmr_vcpu_reserve(struct vmr_producer *producer,
                                     uint32_t vcpu)
{
    struct vmr_request *request = vmr_slot_reserve(&producer->slots[vcpu]);

    if (request)
        request->overdue = false;
    return request;
}

enum vmr_flush vmr_vcpu_flush(struct vmr_producer *producer, uint32_t vcpu)
{
    struct vmr_slot_tx *slot = &producer->slots[vcpu];
    enum vmr_flush flush;

    if (!slot->untold || slot->kept_from || !producer->attached)
        return VMR_FLUSH_QUIET;
    flush =
        vmr_bell_flush_request(vmr_bell_of(producer, vcpu),
                               vmr_bit_of(&producer->geo, vcpu), &slot->owing);
    slot->untold = flush == VMR_FLUSH_AGAIN;
    /* It harms itself: it is told of this vCPU no more. */
    slot->kept_from = flush == VMR_FLUSH_BROKEN;
    return flush;
}

static enum vmr_flush post_next(struct vmr_producer *producer, uint32_t vcpu)
{
    struct vmr_slot_tx *slot = &producer->slots[vcpu];

    if (vmr_slot_post(slot))
        slot->untold = true;
    return vmr_vcpu_flush(producer, vcpu);
}

enum vmr_flush vmr_vcpu_post(struct vmr_producer *producer, uint32_t vcpu)
{
    vmr_slot_commit(&producer->slots[vcpu]);
    return post_next(producer, vcpu);
}

static bool is_answered(const struct vmr_producer *producer,
                        struct vmr_slot_tx *slot,
                        struct xen_vm_ring_response *response)
{
    bool wrong;

    if (vmr_find_answer(producer, slot, response, &wrong))
        return true;
    if (wrong && slot->refused != slot->seq) {
        slot->refused = slot->seq;
        vmr_store_count(&slot->ignored, slot->ignored + 1);
    }
    return false;
}

const struct vmr_request *
vmr_vcpu_collect(struct vmr_producer *producer, uint32_t vcpu, uint64_t now,
                 struct xen_vm_ring_response *response, enum vmr_by *by)
{
    struct vmr_slot_tx *slot = &producer->slots[vcpu];
    const struct vmr_request *request = vmr_slot_first(slot);

    if (!request)
        return NULL;
    *by = VMR_BY_CONSUMER;
    if (slot->kept) {
        *response = *slot->kept;
        return request;
    }
    if (is_answered(producer, slot, response))
        return request;
    if (slot->settled)
        *by = VMR_BY_DETACH;
    else if (now >= request->deadline)
        *by = VMR_BY_DEADLINE;
    else
        return NULL;
    vmr_neutral(request, response);
    return request;
}

enum vmr_flush vmr_vcpu_retire(struct vmr_producer *producer, uint32_t vcpu)
{
    vmr_slot_retire(&producer->slots[vcpu]);
    return post_next(producer, vcpu);
}

bool vmr_vcpu_is_due(struct vmr_producer *producer, uint32_t vcpu)
{
    struct vmr_slot_tx *slot = &producer->slots[vcpu];

    if (slot->settled)
        return true;
    /*
     * Between the caller's mark and the look at the answer.  Pairs with the
     * full barrier in vmr_bell_fetch_answers(), between the hint and the look
     * at that mark, and with that of the consumer between the two (D1).
     */
    vmr_fence_full();
    if (!slot->response || slot->seen == slot->seq ||
        vmr_load_relaxed(&slot->response->seq) != slot->seq)
        return false;
    slot->seen = slot->seq;
    return true;
}

bool vmr_group_answered(struct vmr_producer *producer, uint32_t group,
                        uint32_t *vcpu)
{
    struct vmr_bell_tx *bell = &producer->bells[group];
    uint32_t bit;

    if (!vmr_bits_next(&bell->fetched, 0, &bit)) {
        if (!producer->attached || bell->broken)
            return false;
        bell->broken = vmr_bell_fetch_answers(bell) == VMR_RMW_PEER;
        if (!vmr_bits_next(&bell->fetched, 0, &bit))
            return false;
    }
    vmr_bits_clear(&bell->fetched, bit);
    *vcpu = bit * producer->geo.nr_groups + group;
    return true;
}

bool vmr_group_arm(struct vmr_producer *producer, uint32_t group)
{
    struct vmr_bell_tx *bell = &producer->bells[group];
    enum vmr_rmw rmw;

    if (!producer->attached || bell->broken)
        return true;
    vmr_bell_arm_answers(bell);
    rmw = vmr_bell_fetch_answers(bell);
    bell->broken = rmw == VMR_RMW_PEER;
    if (rmw != VMR_RMW_OURS && bell->fetched.low == bell->fetched.high)
        return true;
    vmr_bell_disarm_answers(bell);
    return false;
}

bool vmr_vcpu_keep(struct vmr_producer *producer, uint32_t vcpu,
                   struct xen_vm_ring_response *kept)
{
    struct vmr_slot_tx *slot = &producer->slots[vcpu];

    if (slot->settled || !is_answered(producer, slot, kept))
        return false;
    slot->kept = kept;
    slot->settled = 1;
    return true;
}

void vmr_vcpu_release(struct vmr_producer *producer, uint32_t vcpu)
{
    struct vmr_slot_tx *slot = &producer->slots[vcpu];

    slot->settled = slot->nr;
}

bool vmr_producer_let_go(struct vmr_producer *producer)
{
    return !producer->attached || vmr_let_go(producer);
}

bool vmr_producer_leave(struct vmr_producer *producer)
{
    if (!vmr_producer_let_go(producer) ||
        (producer->header && vmr_has_foreign(producer) &&
         !vmr_foreign_freeze(producer)))
        return false;
    producer->header = NULL;
    for (uint32_t v = 0; v < producer->nr_vcpus; v++)
        vmr_slot_tx_leave(&producer->slots[v]);
    return true;
}
