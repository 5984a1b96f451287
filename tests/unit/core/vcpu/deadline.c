/* SPDX-License-Identifier: MIT */
/*
 * Description: a vCPU's first request gets the neutral verdict from its
 * deadline on, not before, and not for one that waits behind; an answer that is
 * there counts, however late, and whether or not it was told of.
 */
#include "by_vcpu.h"

static struct rig rig;

static void is_neutral(const struct xen_vm_ring_response *response,
                       uint16_t altp2m_idx)
{
    struct xen_vm_ring_response neutral = {
        .reason = XEN_VM_RING_REASON_CPUID,
        .altp2m_idx = altp2m_idx,
    };

    CHECK(memcmp(response, &neutral, sizeof(neutral)) == 0);
}

static void passes(void)
{
    struct vmr_request *request = vmr_vcpu_reserve(&rig.tx, 0);
    struct xen_vm_ring_response response;

    *request = rig_request(0, 1, 100);
    request->event.altp2m_idx = 3;
    (void)vmr_vcpu_post(&rig.tx, 0);
    (void)vcpu_post(&rig, 0, 2, 50); /* behind it, and due before it */
    rig.now = 99;
    vcpu_waits(&rig, 0);
    for (rig.now = 100; rig.now < 102; rig.now++) {
        response = vcpu_verdict(&rig, 0, 1, VMR_BY_DEADLINE);
        is_neutral(&response, 3);
    }
    CHECK_EQ(rig_slot(&rig, 0)->state, 1); /* until it is retired */
    (void)vmr_vcpu_retire(&rig.tx, 0);
    response = vcpu_verdict(&rig, 0, 2, VMR_BY_DEADLINE);
    is_neutral(&response, 0);
    (void)vmr_vcpu_retire(&rig.tx, 0);
    vcpu_waits(&rig, 0);
}

/* Stored by a consumer that was preempted before it told of it. */
static void has_an_answer(uint64_t now)
{
    struct xen_vm_ring_response response;
    struct xen_vm_ring_event event;

    rig.now = 0;
    (void)vcpu_post(&rig, 1, 3, 100);
    event = vcpu_taken(&rig, 1, 3);
    vcpu_answer(&rig, &event, XEN_VM_RING_FLAG_TOGGLE_SINGLESTEP);
    rig.now = now;
    response = vcpu_verdict(&rig, 1, 3, VMR_BY_CONSUMER);
    CHECK_EQ(response.flags, XEN_VM_RING_FLAG_TOGGLE_SINGLESTEP);
    CHECK_EQ(response.seq, event.state);
    (void)vmr_vcpu_retire(&rig.tx, 1);
}

static void is_none(void)
{
    (void)vcpu_post(&rig, 1, 4, VMR_NO_DEADLINE);
    rig.now = VMR_NO_DEADLINE - 1;
    vcpu_waits(&rig, 1);
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 2);

    rig_make(&rig, &geo);
    passes();
    has_an_answer(99);
    has_an_answer(100);
    has_an_answer(100000);
    is_none();
    return 0;
}
