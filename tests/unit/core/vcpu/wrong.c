/* SPDX-License-Identifier: MIT */
/*
 * Description: an answer that breaks a rule is counted once for its request,
 * by its vCPU, and is none: the right one counts, and so does the deadline.
 */
#include "by_vcpu.h"

static struct rig rig;

static void write_answer(uint32_t vcpu, uint16_t reason, uint32_t flags)
{
    struct xen_vm_ring_response *response = rig_response(&rig, vcpu);

    response->flags = flags;
    response->reason = reason;
    response->seq = rig_slot(&rig, vcpu)->state;
}

static void is_refused(uint32_t vcpu, uint64_t ignored)
{
    for (int i = 0; i < 3; i++) {
        vcpu_waits(&rig, vcpu);
        CHECK_EQ(rig.tx.slots[vcpu].ignored, ignored);
    }
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 2);
    struct xen_vm_ring_response kept;

    rig_make(&rig, &geo);
    (void)vcpu_post(&rig, 1, 1, 100);
    (void)vcpu_post(&rig, 1, 2, 100);
    is_refused(1, 0);
    write_answer(1, XEN_VM_RING_REASON_CPUID + 1, 0);
    is_refused(1, 1);
    /* Another one, to the same request. */
    write_answer(1, XEN_VM_RING_REASON_CPUID, XEN_VM_RING_FLAG_DENY);
    is_refused(1, 1);
    write_answer(1, XEN_VM_RING_REASON_CPUID, 0);
    (void)vcpu_verdict(&rig, 1, 1, VMR_BY_CONSUMER);
    (void)vmr_vcpu_retire(&rig.tx, 1);

    write_answer(1, XEN_VM_RING_REASON_CPUID + 1, 0);
    is_refused(1, 2);
    CHECK(!vmr_vcpu_keep(&rig.tx, 1, &kept));
    CHECK_EQ(rig.tx.slots[1].ignored, 2);
    rig.now = 100;
    CHECK_EQ(vcpu_verdict(&rig, 1, 2, VMR_BY_DEADLINE).flags, 0);
    (void)vmr_vcpu_retire(&rig.tx, 1);

    (void)vcpu_post(&rig, 1, 3, 101);
    write_answer(1, XEN_VM_RING_REASON_CPUID + 1, 0);
    CHECK(!vmr_vcpu_keep(&rig.tx, 1, &kept));
    is_refused(1, 3);
    CHECK_EQ(rig.tx.slots[0].ignored, 0);
    CHECK_EQ(rig.tx.ignored, 0); /* which others of its vCPUs may not write */
    return 0;
}
