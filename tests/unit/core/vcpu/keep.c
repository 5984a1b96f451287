/* SPDX-License-Identifier: MIT */
/*
 * Description: an answer that is there when its consumer goes is kept, once: it
 * counts although C is gone, its request is not posted anew, and the one behind
 * it is, once that has been retired.  All others are, and say so.
 */
#include <sys/mman.h>

#include "by_vcpu.h"

static struct rig rig;
static struct xen_vm_ring_response kept;

static void answer(uint32_t vcpu, uint64_t number, uint16_t reason)
{
    struct xen_vm_ring_event event = vcpu_taken(&rig, vcpu, number);

    event.reason = reason;
    vcpu_answer(&rig, &event, XEN_VM_RING_FLAG_TOGGLE_SINGLESTEP);
}

/* 0 has its answer, 1 a wrong one, 2 none, 3 no request. */
static void look_a_last_time(void)
{
    struct xen_vm_ring_response other = {.flags = 77};

    for (uint32_t v = 0; v < 3; v++) {
        (void)vcpu_post(&rig, v, 10 * v + 1, 100);
        (void)vcpu_post(&rig, v, 10 * v + 2, 100);
    }
    answer(0, 1, XEN_VM_RING_REASON_CPUID);
    answer(1, 11, XEN_VM_RING_REASON_CPUID + 1);
    CHECK(!vmr_vcpu_is_settled(&rig.tx, 0));
    CHECK(vmr_vcpu_keep(&rig.tx, 0, &kept));
    CHECK(vmr_vcpu_is_settled(&rig.tx, 0));
    CHECK(!vmr_vcpu_keep(&rig.tx, 0, &other)); /* it is not the second's */
    CHECK_EQ(other.flags, 77);
    for (uint32_t v = 1; v < 4; v++) {
        CHECK(!vmr_vcpu_keep(&rig.tx, v, &other));
        CHECK(!vmr_vcpu_is_settled(&rig.tx, v));
        CHECK_EQ(rig.tx.slots[v].ignored, v == 1);
    }
    CHECK(vmr_producer_let_go(&rig.tx));
    CHECK(!rig.tx.attached);
    CHECK(mprotect(rig.c, rig.geo.c_len, PROT_NONE) == 0);
}

static void is_kept(void)
{
    struct xen_vm_ring_response response;

    for (rig.now = 0; rig.now <= 200; rig.now += 200) {
        response = vcpu_verdict(&rig, 0, 1, VMR_BY_CONSUMER);
        CHECK(memcmp(&response, &kept, sizeof(kept)) == 0);
        CHECK_EQ(response.flags, XEN_VM_RING_FLAG_TOGGLE_SINGLESTEP);
    }
    rig.now = 0;
}

/* The first that each is asked by the next consumer, and then the second. */
static void others_are_asked(void)
{
    for (uint32_t v = 1; v < 3; v++) {
        struct xen_vm_ring_event event = vcpu_taken(&rig, v, 10 * v + 1);

        CHECK_EQ(event.flags, XEN_VM_RING_FLAG_REPOSTED);
        CHECK_EQ(event.state, 3);
        vcpu_waits(&rig, v);
        vcpu_answer(&rig, &event, 0);
    }
    (void)vmr_consumer_flush(&rig.rx, 0);
    vcpu_none_taken(&rig, 0);
    for (uint32_t v = 1; v < 3; v++) {
        (void)vcpu_verdict(&rig, v, 10 * v + 1, VMR_BY_CONSUMER);
        (void)vmr_vcpu_retire(&rig.tx, v);
        CHECK_EQ(vcpu_taken(&rig, v, 10 * v + 2).flags, 0);
    }
    CHECK_EQ(rig_slot(&rig, 0)->state, 0);
}

static void next_is_asked(void)
{
    vcpu_none_taken(&rig, 0);
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    CHECK_EQ(vmr_vcpu_retire(&rig.tx, 0), VMR_FLUSH_RING);
    CHECK(!vmr_vcpu_is_settled(&rig.tx, 0));
    vcpu_waits(&rig, 0);
    answer(0, 2, XEN_VM_RING_REASON_CPUID);
    CHECK_EQ(vcpu_verdict(&rig, 0, 2, VMR_BY_CONSUMER).seq, 3);
    (void)vmr_vcpu_retire(&rig.tx, 0);
    CHECK(!vmr_vcpu_first(&rig.tx, 0));
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(4, 1, 0, 2);

    rig_make(&rig, &geo);
    look_a_last_time();
    is_kept();
    rig_attach(&rig);
    is_kept();
    others_are_asked();
    is_kept();
    next_is_asked();

    /* It comes round to it before there is another consumer. */
    rig_make(&rig, &geo);
    look_a_last_time();
    is_kept();
    CHECK_EQ(vmr_vcpu_retire(&rig.tx, 0), VMR_FLUSH_QUIET);
    vcpu_waits(&rig, 0);
    rig_attach(&rig);
    CHECK_EQ(vcpu_taken(&rig, 0, 2).flags, XEN_VM_RING_FLAG_REPOSTED);
    return 0;
}
