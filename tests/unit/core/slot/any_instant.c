/* SPDX-License-Identifier: MIT */
/*
 * Description: at any instant of a post the consumer takes the whole request
 * or none; one that is retired and posted anew at any instant of a take is
 * not taken torn; an answer counts whole or not at all.
 */
#include "rig.h"

#include "instants.h"

#include "core/slot.c"

static struct rig rig;
static uint64_t when, now, number;

static struct vmr_slot_tx *tx(void)
{
    return &rig.tx.slots[0];
}

static void post(void)
{
    struct vmr_request request = rig_request(0, ++number, VMR_NO_DEADLINE);

    request.event.length = XEN_VM_RING_EVENT_FULL;
    for (size_t i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
        request.event.regs.words[i] = number;
    CHECK(vmr_slot_add(tx(), &request));
    CHECK(vmr_slot_post(tx()));
}

/* Request n has seq 2n - 1. */
static void whole(const struct xen_vm_ring_event *event)
{
    uint64_t n = (event->state + 1) / 2;

    CHECK_EQ(event->time, n);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(event->u.words[i], n);
    for (size_t i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
        CHECK_EQ(event->regs.words[i], n);
}

static void take(void)
{
    struct vmr_slot_rx rx = rig.rx.slots[0];
    struct xen_vm_ring_event event;

    rx.taken = 0;
    switch (vmr_slot_take(&rx, &event)) {
    case VMR_TAKE_EVENT:
        CHECK_EQ(event.state, 2 * number - 1);
        whole(&event);
        break;
    case VMR_TAKE_NONE:
        break;
    default:
        CHECK(!"nobody is in between");
    }
}

static void post_another(void)
{
    if (now++ == when) {
        vmr_slot_retire(tx());
        post();
    }
}

/* false: the take has fewer instants than that. */
static bool take_while_posted(void)
{
    struct xen_vm_ring_event event;
    enum vmr_take taken;

    rig.rx.slots[0].taken = now = 0;
    at_instant = post_another;
    taken = vmr_slot_take(&rig.rx.slots[0], &event);
    at_instant = NULL;
    CHECK(taken == VMR_TAKE_EVENT || taken == VMR_TAKE_AGAIN);
    if (taken == VMR_TAKE_EVENT)
        whole(&event);
    return now > when;
}

static void collect(void)
{
    struct xen_vm_ring_response got;

    switch (vmr_slot_collect(tx(), &got)) {
    case VMR_COLLECT_ANSWER:
        CHECK_EQ(got.flags, number);
        CHECK_EQ(got.inject.vector, number);
        for (size_t i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
            CHECK_EQ(got.data.words[i], number);
        break;
    case VMR_COLLECT_STALE:
        break;
    default:
        CHECK(!"one is pending");
    }
}

static void answer(void)
{
    struct xen_vm_ring_response response = {.flags = (uint32_t)number};

    response.inject.vector = (uint32_t)number;
    for (size_t i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
        response.data.words[i] = number;
    at_instant = collect;
    vmr_slot_answer(&rig.rx.slots[0], 2 * number - 1, &response);
    at_instant = NULL;
    CHECK_EQ(vmr_slot_collect(tx(), &response), VMR_COLLECT_ANSWER);
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(1, 1, 0, 2);

    rig_make(&rig, &geo);
    for (int round = 0; round < 5; round++) {
        at_instant = take;
        post();
        at_instant = NULL;
        answer();
        at_instant = take;
        vmr_slot_retire(tx());
        at_instant = NULL;
    }
    post();
    for (when = 0; take_while_posted(); when++)
        ;
    CHECK(when > 50);
    return 0;
}
