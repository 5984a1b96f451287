/* SPDX-License-Identifier: MIT */
/*
 * Description: all that a vCPU has pending when it is released gets the neutral
 * verdict, but for an answer that is there or was kept, and stays settled
 * whoever attaches meanwhile; what it posts later is asked, after that.
 */
#include "by_vcpu.h"

static struct rig rig;

static void post_two(uint32_t vcpu, uint64_t number)
{
    (void)vcpu_post(&rig, vcpu, number, 100);
    (void)vcpu_post(&rig, vcpu, number + 1, VMR_NO_DEADLINE);
}

/* Before its deadline, and past it. */
static void is_let_go(uint32_t vcpu, uint64_t number)
{
    struct xen_vm_ring_response response;

    CHECK(vmr_vcpu_is_settled(&rig.tx, vcpu));
    CHECK(vmr_vcpu_is_due(&rig.tx, vcpu));
    for (rig.now = 0; rig.now <= 200; rig.now += 200) {
        response = vcpu_verdict(&rig, vcpu, number, VMR_BY_DETACH);
        CHECK_EQ(response.flags, 0);
        CHECK_EQ(response.seq, 0);
    }
    rig.now = 0;
    (void)vmr_vcpu_retire(&rig.tx, vcpu);
}

static void one_of_them(void)
{
    struct xen_vm_ring_event event;

    post_two(0, 1);
    post_two(1, 11);
    event = vcpu_taken(&rig, 0, 1);
    CHECK_EQ(vcpu_taken(&rig, 1, 11).state, 1);
    vcpu_answer(&rig, &event, 0);
    vmr_vcpu_release(&rig.tx, 0);
    (void)vcpu_verdict(&rig, 0, 1, VMR_BY_CONSUMER);
    (void)vmr_vcpu_retire(&rig.tx, 0);
    vcpu_none_taken(&rig, 0); /* what is settled is not posted */
    is_let_go(0, 2);
    CHECK(!vmr_vcpu_is_settled(&rig.tx, 0));
    CHECK(!vmr_vcpu_is_settled(&rig.tx, 1)); /* another one's */
    vcpu_waits(&rig, 1);
    post_two(0, 3);
    CHECK_EQ(vcpu_taken(&rig, 0, 3).state, 3);
    vcpu_waits(&rig, 0);
}

/* vCPU 0 has an answer, 1 has none; and another consumer comes. */
static void all_at_a_detach(bool left)
{
    struct xen_vm_ring_response kept;
    struct xen_vm_ring_event event;

    event = vcpu_taken(&rig, 0, 1);
    vcpu_answer(&rig, &event, XEN_VM_RING_FLAG_TOGGLE_SINGLESTEP);
    CHECK(vmr_vcpu_keep(&rig.tx, 0, &kept));
    CHECK(!vmr_vcpu_keep(&rig.tx, 1, &kept));
    for (uint32_t v = 0; v < 3; v++)
        vmr_vcpu_release(&rig.tx, v);
    CHECK(left ? vmr_producer_leave(&rig.tx) : vmr_producer_let_go(&rig.tx));
    post_two(1, 13);
    CHECK(!vmr_vcpu_is_settled(&rig.tx, 2)); /* it had none */
    post_two(2, 21);
    CHECK(!vmr_vcpu_keep(&rig.tx, 1, &kept));
    CHECK_EQ(vcpu_verdict(&rig, 0, 1, VMR_BY_CONSUMER).flags,
             XEN_VM_RING_FLAG_TOGGLE_SINGLESTEP);
    vcpu_waits(&rig, 2);
    rig_attach(&rig);
    CHECK_EQ(vcpu_taken(&rig, 2, 21).state & 1, 1);
    vcpu_none_taken(&rig, 0);
    CHECK_EQ(vcpu_verdict(&rig, 0, 1, VMR_BY_CONSUMER).flags,
             XEN_VM_RING_FLAG_TOGGLE_SINGLESTEP);
    (void)vmr_vcpu_retire(&rig.tx, 0);
    is_let_go(0, 2);
    is_let_go(1, 11);
    is_let_go(1, 12);
    CHECK_EQ(vcpu_taken(&rig, 1, 13).flags, 0);
    vcpu_waits(&rig, 1);
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(3, 1, 0, 2);

    rig_make(&rig, &geo);
    one_of_them();
    for (int i = 0; i < 2; i++) {
        rig_make(&rig, &geo);
        post_two(0, 1);
        post_two(1, 11);
        all_at_a_detach(i);
    }
    return 0;
}
