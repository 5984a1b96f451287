/* SPDX-License-Identifier: MIT */
/* collect.c: verdicts, by answers and by deadlines. */
#include "atomic.h"
#include "producer_parts.h"
#include "verdict.h"

/* The vCPU's first request has its verdict: take it out, post the next. */
static void retire(struct vmr_producer *producer, uint32_t vcpu,
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

static void neutral(struct vmr_verdict *verdict, enum vmr_by by)
{
    verdict->by = by;
    verdict->response = (struct xen_vm_ring_response){
        .reason = verdict->request.event.reason,
        .altp2m_idx = verdict->request.event.altp2m_idx,
    };
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

/*
 * The answer to the visible request of a vCPU, if it is there and right.
 * `hint`: a bit has led us here.
 */
static bool collect_one(struct vmr_producer *producer, uint32_t vcpu, bool hint,
                        struct vmr_verdict *verdict)
{
    struct vmr_slot_tx *slot = &producer->slots[vcpu];
    enum vmr_collect found = vmr_slot_collect(slot, &verdict->response);
    bool hint_due = slot->hint_due;

    if (hint)
        slot->hint_due = false;
    if (found != VMR_COLLECT_ANSWER) {
        /* The hint to an answer that was found before it is for nothing. */
        if (hint && !hint_due && !producer->sweeping)
            producer->ignored++;
        return false;
    }
    if (!is_right(producer, slot, &verdict->response)) {
        /* Counted once, whoever looks at it again. */
        if (slot->refused != slot->seq || hint)
            producer->ignored++;
        slot->refused = slot->seq;
        return false;
    }
    /* Without these it may be the neutral verdict: no flag at all. */
    verdict->response.flags &= ~XEN_VM_RING_FLAGS_VOID;
    verdict->by = VMR_BY_CONSUMER;
    retire(producer, vcpu, verdict);
    return true;
}

/* Of one group, what was fetched already.  Each bit is looked at once. */
static bool collect_group(struct vmr_producer *producer, uint32_t *looks,
                          struct vmr_verdict *verdict)
{
    uint32_t group = producer->fetch, bit;
    struct vmr_bits *verdicts = &producer->bells[group].verdicts;

    while (*looks && vmr_bits_next(verdicts, 0, &bit)) {
        --*looks;
        vmr_bits_clear(verdicts, bit);
        if (collect_one(producer, bit * producer->geo.nr_groups + group, true,
                        verdict))
            return true;
    }
    return false;
}

/*
 * All answers have been looked at: C is let go of.  While another thread
 * pushes into the foreign lane the sweep is not over.
 */
static void end_sweep(struct vmr_producer *producer)
{
    if (vmr_has_foreign(producer) && !vmr_foreign_detach(producer))
        return;
    producer->sweeping = producer->attached = false;
    for (uint32_t v = 0; v < producer->nr_vcpus; v++) {
        vmr_slot_tx_detach(&producer->slots[v]);
        vmr_lane_tx_detach(&producer->lanes[v]);
        vmr_count_fault(producer, v);
    }
}

/*
 * A round over the groups, from the one that was being looked at.  Whatever
 * is set in C meanwhile, each has its turn, and the caller's clock too.
 */
static bool collect_answer(struct vmr_producer *producer,
                           struct vmr_verdict *verdict)
{
    uint32_t looks = VMR_COLLECT_LOOKS;

    for (uint32_t i = 0;; i++) {
        if (collect_group(producer, &looks, verdict))
            return true;
        if (!looks)
            return false;
        if (i == producer->geo.nr_groups)
            break;
        producer->fetch = (producer->fetch + 1) % producer->geo.nr_groups;
        if (!producer->sweeping && !producer->faulted &&
            vmr_bell_fetch_answers(&producer->bells[producer->fetch]) ==
                VMR_RMW_PEER)
            producer->faulted = true;
    }
    if (producer->sweeping)
        end_sweep(producer);
    return false;
}

/*
 * It is too late for the vCPU's first request.  But an answer that is there
 * counts, whether or not its bit is set yet.
 */
static bool answered_late(struct vmr_producer *producer, uint32_t vcpu,
                          struct vmr_verdict *verdict)
{
    struct vmr_slot_tx *slot = &producer->slots[vcpu];

    if (!producer->attached || !collect_one(producer, vcpu, false, verdict))
        return false;
    /* Its bit is fetched, or will be, and stands for nothing then. */
    slot->hint_due = true;
    return true;
}

/* One vCPU's first request: is it too late for it? */
static bool expire_one(struct vmr_producer *producer, uint32_t vcpu,
                       uint64_t now, struct vmr_verdict *verdict)
{
    struct vmr_request *request = vmr_slot_first(&producer->slots[vcpu]);

    if (producer->release) {
        retire(producer, vcpu, verdict);
        neutral(verdict, producer->release);
        return true;
    }
    if (request->overdue)
        return false;
    if (request->deadline > now) {
        if (request->deadline < producer->scan_deadline)
            producer->scan_deadline = request->deadline;
        return false;
    }
    if (answered_late(producer, vcpu, verdict))
        return true;
    if (producer->pause_overdue) {
        request->overdue = true;
        verdict->request = *request;
        neutral(verdict, VMR_OVERDUE);
        return true;
    }
    retire(producer, vcpu, verdict);
    neutral(verdict, VMR_BY_DEADLINE);
    return true;
}

/* Goes through what is pending, once a deadline may have passed. */
static bool expire(struct vmr_producer *producer, uint64_t now,
                   struct vmr_verdict *verdict)
{
    uint32_t vcpu;

    if (now < producer->next_deadline)
        return false;
    while (vmr_bits_next(&producer->pending, producer->scan, &vcpu) &&
           vcpu >= producer->scan) {
        producer->scan = vcpu + 1;
        if (expire_one(producer, vcpu, now, verdict)) {
            if (producer->slots[vcpu].nr)
                producer->scan = vcpu;
            return true;
        }
    }
    producer->scan = 0;
    producer->next_deadline = producer->scan_deadline;
    producer->scan_deadline = VMR_NO_DEADLINE;
    if (producer->release)
        producer->next_deadline = 0; /* what comes goes at once, too */
    return false;
}

bool vmr_producer_collect(struct vmr_producer *producer, uint64_t now,
                          struct vmr_verdict *verdict)
{
    /*
     * The clock first: answers could come for ever.  A sweep's are no more
     * than there are vCPUs, and it is only then too late.
     */
    if (!producer->sweeping && expire(producer, now, verdict))
        return true;
    if (!producer->attached)
        return false;
    if (collect_answer(producer, verdict))
        return true;
    /* A sweep that has just ended: its request may be for nobody now. */
    return !producer->attached && expire(producer, now, verdict);
}

bool vmr_producer_arm(struct vmr_producer *producer)
{
    bool quiet = true;

    if (producer->sweeping)
        return false;
    if (!producer->attached || producer->faulted)
        return true;
    for (uint32_t g = 0; g < producer->geo.nr_groups; g++)
        vmr_bell_arm_answers(&producer->bells[g]);
    for (uint32_t g = 0; g < producer->geo.nr_groups; g++) {
        struct vmr_bell_tx *bell = &producer->bells[g];

        switch (vmr_bell_fetch_answers(bell)) {
        case VMR_RMW_DONE:
            break;
        case VMR_RMW_OURS:
            quiet = false; /* some are still in C */
            break;
        case VMR_RMW_PEER:
            producer->faulted = true;
            break;
        }
        if (bell->verdicts.low != bell->verdicts.high)
            quiet = false;
    }
    if (quiet)
        return true;
    for (uint32_t g = 0; g < producer->geo.nr_groups; g++)
        vmr_bell_disarm_answers(&producer->bells[g]);
    return false;
}
