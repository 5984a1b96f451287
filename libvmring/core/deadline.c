/* SPDX-License-Identifier: MIT */
/*
 * deadline.c: deadlines are applied: the neutral verdict for a request that has
 * waited too long, or the word that its target is to be paused.
 */
#include "producer_parts.h"

static void neutral(struct vmr_verdict *verdict, enum vmr_by by)
{
    verdict->by = by;
    vmr_neutral(&verdict->request, &verdict->response);
}

/*
 * It is too late for the vCPU's first request.  But an answer that is there
 * counts, whether or not its bit is set yet.
 */
static bool answered_late(struct vmr_producer *producer, uint32_t vcpu,
                          struct vmr_verdict *verdict)
{
    struct vmr_slot_tx *slot = &producer->slots[vcpu];

    if (!producer->attached || !vmr_collect_one(producer, vcpu, false, verdict))
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
        vmr_retire(producer, vcpu, verdict);
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
    vmr_retire(producer, vcpu, verdict);
    neutral(verdict, VMR_BY_DEADLINE);
    return true;
}

bool vmr_expire(struct vmr_producer *producer, uint64_t now,
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
