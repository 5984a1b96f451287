/* SPDX-License-Identifier: MIT */
/*
 * Description: a vCPU fills its request in where it waits; nothing of it is
 * visible before the post, and then all of it is.  The sixth finds no room.
 */
#include "by_vcpu.h"

static struct rig rig;

/* What is not posted is nowhere, however often it is begun. */
static void begin(void)
{
    struct vmr_request *request = vmr_vcpu_reserve(&rig.tx, 2);

    CHECK(request);
    CHECK_EQ((uintptr_t)request % XEN_VM_RING_LINE, 0);
    *request = rig_request(2, 9, 0);
    CHECK(vmr_vcpu_reserve(&rig.tx, 2) == request);
    CHECK(!vmr_vcpu_first(&rig.tx, 2));
    CHECK_EQ(rig_slot(&rig, 2)->state, 0);
    CHECK_EQ(rig_slot(&rig, 2)->time, 0);
    vcpu_waits(&rig, 2);
    vcpu_none_taken(&rig, 0);
}

/* In the same place; with registers. */
static void fill_in(void)
{
    struct vmr_request *request = vmr_vcpu_reserve(&rig.tx, 2);

    request->overdue = true; /* as it was left there */
    CHECK(vmr_vcpu_reserve(&rig.tx, 2) == request);
    CHECK(!request->overdue);
    *request = rig_request(2, 10, 77);
    request->event.length = XEN_VM_RING_EVENT_FULL;
    for (size_t i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
        request->event.regs.words[i] = 10 + i;
    (void)vmr_vcpu_post(&rig.tx, 2);
    CHECK(vmr_vcpu_first(&rig.tx, 2) == request);
    CHECK_EQ(vmr_vcpu_first(&rig.tx, 2)->deadline, 77);
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(3, 2, 0, 2);
    struct xen_vm_ring_event event;

    rig_make(&rig, &geo);
    begin();
    fill_in();
    for (uint64_t i = 1; i < VMR_FIFO; i++)
        (void)vcpu_post(&rig, 2, 10 + i, 0);
    CHECK(!vmr_vcpu_reserve(&rig.tx, 2));
    CHECK(vmr_vcpu_reserve(&rig.tx, 0)); /* another vCPU can */

    event = vcpu_taken(&rig, 2, 10);
    CHECK_EQ(event.state, 1);
    for (size_t i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
        CHECK_EQ(event.regs.words[i], 10 + i);
    vcpu_none_taken(&rig, 0); /* those behind it are not visible */
    vcpu_answer(&rig, &event, 0);
    (void)vcpu_verdict(&rig, 2, 10, VMR_BY_CONSUMER);
    CHECK(!vmr_vcpu_reserve(&rig.tx, 2));
    (void)vmr_vcpu_retire(&rig.tx, 2);
    (void)vcpu_post(&rig, 2, 15, 0);
    CHECK(!vmr_vcpu_reserve(&rig.tx, 2));
    return 0;
}
