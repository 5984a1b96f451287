/* SPDX-License-Identifier: MIT */
/*
 * answer.c: a vCPU's answer is found, copied and checked, and its request ends.
 */
#include "producer_parts.h"
#include "response_check.h"

void vmr_retire(struct vmr_producer *producer, uint32_t vcpu,
                struct vmr_verdict *verdict)
{
    struct vmr_slot_tx *slot = &producer->slots[vcpu];

    verdict->request = *vmr_slot_first(slot);
    vmr_slot_retire(slot);
    if (slot->nr) {
        vmr_expect_by(producer, vmr_slot_first(slot)->deadline);
        vmr_post_next(producer, vcpu);
    } else {
        vmr_bits_clear(&producer->pending, vcpu);
    }
}

/* A copy of the answer, by all rules? */
static bool is_right(const struct vmr_producer *producer,
                     const struct vmr_slot_tx *slot,
                     const struct xen_vm_ring_response *response)
{
    return response->reason == slot->fifo[slot->first]->event.reason &&
           vmr_response_is_whole(response, producer->geo.arch) &&
           vmr_response_check(response->reason, response->flags,
                              producer->geo.verdicts) == VMR_FLAGS_ALLOWED;
}

bool vmr_find_answer(const struct vmr_producer *producer,
                     const struct vmr_slot_tx *slot,
                     struct xen_vm_ring_response *response, bool *wrong)
{
    *wrong = false;
    if (vmr_slot_collect(slot, response) != VMR_COLLECT_ANSWER)
        return false;
    if (!is_right(producer, slot, response)) {
        *wrong = true;
        return false;
    }
    /* Without these it may be the neutral verdict: no flag at all. */
    response->flags &= ~XEN_VM_RING_FLAGS_VOID;
    return true;
}

void vmr_neutral(const struct vmr_request *request,
                 struct xen_vm_ring_response *response)
{
    *response = (struct xen_vm_ring_response){
        .reason = request->event.reason,
        .altp2m_idx = request->event.altp2m_idx,
    };
}

bool vmr_collect_one(struct vmr_producer *producer, uint32_t vcpu, bool hint,
                     struct vmr_verdict *verdict)
{
    struct vmr_slot_tx *slot = &producer->slots[vcpu];
    bool hint_due = slot->hint_due, wrong;

    if (hint)
        slot->hint_due = false;
    if (!vmr_find_answer(producer, slot, &verdict->response, &wrong)) {
        /*
         * A hint is for nothing, unless its answer was found before it; a wrong
         * answer is counted once, however often it is looked at without one.
         */
        if (wrong ? hint || slot->refused != slot->seq
                  : hint && !hint_due && !producer->sweeping)
            producer->ignored++;
        if (wrong)
            slot->refused = slot->seq;
        return false;
    }
    verdict->by = VMR_BY_CONSUMER;
    vmr_retire(producer, vcpu, verdict);
    return true;
}
