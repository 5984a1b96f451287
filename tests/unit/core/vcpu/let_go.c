/* SPDX-License-Identifier: MIT */
/*
 * Description: once it has been let go of, no call touches C, and once the ring
 * has been left none touches P: requests stay pending, and are posted anew when
 * a consumer attaches, marked if they had been visible.
 */
#include <sys/mman.h>

#include "by_vcpu.h"

static struct rig rig;
static bool has_left;

static void unmap(unsigned char *region, uint64_t len)
{
    CHECK(mprotect(region, len, PROT_NONE) == 0);
}

/* Each call there is; what is pending stays so. */
static void call_everything(void)
{
    struct xen_vm_ring_event event = rig_event(1, 0, 1);
    struct xen_vm_ring_response kept;
    uint32_t vcpu;

    for (uint32_t v = 0; v < 3; v++) {
        CHECK_EQ(vmr_vcpu_flush(&rig.tx, v), VMR_FLUSH_QUIET);
        vcpu_waits(&rig, v);
        CHECK(!vmr_vcpu_is_due(&rig.tx, v));
        CHECK(!vmr_vcpu_keep(&rig.tx, v, &kept));
        for (int i = 0; i < 5; i++)
            (void)vmr_producer_push_own(&rig.tx, v, &event);
        CHECK_EQ(vmr_producer_flush_own(&rig.tx, v), VMR_FLUSH_QUIET);
    }
    for (uint32_t g = 0; g < 2; g++) {
        CHECK(!vmr_group_answered(&rig.tx, g, &vcpu));
        CHECK(vmr_group_arm(&rig.tx, g));
    }
    for (int i = 0; i < 5; i++)
        (void)vmr_producer_push(&rig.tx, 3, &event);
    CHECK_EQ(vmr_producer_flush(&rig.tx), 0);
    CHECK_EQ(vmr_producer_wake(&rig.tx), 0);
    CHECK(vmr_producer_let_go(&rig.tx));
    if (has_left)
        CHECK(vmr_producer_leave(&rig.tx));
}

/* The first of a vCPU is over while there is nobody. */
static void pass_by(uint32_t vcpu)
{
    rig.now = 5;
    (void)vcpu_verdict(&rig, vcpu, 99, VMR_BY_DEADLINE);
    rig.now = 0;
    CHECK_EQ(vmr_vcpu_retire(&rig.tx, vcpu), VMR_FLUSH_QUIET);
}

/* vCPU 0 had two, 1 has one since, 2 has none. */
static void comes_anew(void)
{
    struct xen_vm_ring_event event;

    rig_attach(&rig);
    event = vcpu_taken(&rig, 0, 1);
    CHECK_EQ(event.flags, XEN_VM_RING_FLAG_REPOSTED);
    CHECK_EQ(event.state, 3);
    vcpu_answer(&rig, &event, 0);
    (void)vcpu_verdict(&rig, 0, 1, VMR_BY_CONSUMER);
    (void)vmr_vcpu_retire(&rig.tx, 0);
    CHECK_EQ(vcpu_taken(&rig, 0, 2).flags, 0);
    vcpu_none_taken(&rig, 0);
    /* In a P that it has not left it was visible. */
    CHECK_EQ(vcpu_taken(&rig, 1, 11).flags,
             has_left ? 0 : XEN_VM_RING_FLAG_REPOSTED);
    vcpu_none_taken(&rig, 1);
}

static void nobody_is_there(void)
{
    struct vmr_geometry geo = rig_geometry(3, 2, 0, 2);

    rig_make(&rig, &geo);
    (void)vcpu_post(&rig, 0, 1, 1000);
    (void)vcpu_post(&rig, 0, 2, 1000);
    (void)vcpu_post(&rig, 2, 99, 5); /* visible, and over when they are gone */
    CHECK(has_left ? vmr_producer_leave(&rig.tx)
                   : vmr_producer_let_go(&rig.tx));
    CHECK(!rig.tx.attached);
    unmap(rig.c, rig.geo.c_len);
    if (has_left)
        unmap(rig.p, rig.geo.p_len);
    call_everything();
    CHECK_EQ(vcpu_post(&rig, 1, 11, 1000), VMR_FLUSH_QUIET);
    pass_by(2);
    CHECK_EQ(vcpu_post(&rig, 2, 99, 5), VMR_FLUSH_QUIET);
    pass_by(2);
    call_everything();
    comes_anew();
}

/* A push into the lane of no vCPU is under way, and all stays as it is. */
static void amid_a_push(void)
{
    struct vmr_geometry geo = rig_geometry(3, 2, 0, 2);
    struct xen_vm_ring_event event = rig_event(1, 0, 1);

    rig_make(&rig, &geo);
    rig.tx.foreign.lock = 1;
    CHECK(!vmr_producer_let_go(&rig.tx));
    CHECK(!vmr_producer_leave(&rig.tx));
    (void)vcpu_post(&rig, 0, 1, 1000);
    (void)vcpu_taken(&rig, 0, 1);
    rig.tx.foreign.lock = 0;
    CHECK(vmr_producer_push(&rig.tx, 3, &event));
    CHECK(vmr_producer_let_go(&rig.tx));
    rig.tx.foreign.lock = 1;
    CHECK(!vmr_producer_leave(&rig.tx)); /* P is in use yet */
    CHECK_EQ(rig_slot(&rig, 0)->state, 1);
    (void)vmr_vcpu_retire(&rig.tx, 0);
    CHECK_EQ(rig_slot(&rig, 0)->state, 2);
    rig.tx.foreign.lock = 0;
    CHECK(vmr_producer_leave(&rig.tx));
    unmap(rig.p, rig.geo.p_len);
    CHECK(!vmr_producer_push(&rig.tx, 3, &event));
}

/* As in a hypervisor: vCPUs' lanes alone. */
static void has_no_foreign_lane(void)
{
    struct vmr_geometry geo = rig_geometry(3, 2, 0, 2);

    geo.nr_lanes = 3;
    geo.features &= ~XEN_VM_RING_FEATURE_FOREIGN;
    CHECK(vmr_geometry_lay_out(&geo, 2ULL * 3 * 64));
    rig_make(&rig, &geo);
    (void)vcpu_post(&rig, 0, 1, 1000);
    CHECK(vmr_producer_leave(&rig.tx));
    unmap(rig.c, rig.geo.c_len);
    unmap(rig.p, rig.geo.p_len);
    vcpu_waits(&rig, 0);
    rig_attach(&rig);
    CHECK_EQ(vcpu_taken(&rig, 0, 1).flags, XEN_VM_RING_FLAG_REPOSTED);
}

/* Before there ever was a ring, too. */
static void never_was(void)
{
    struct vmr_geometry geo = rig_geometry(3, 2, 0, 2);
    void *memory = calloc(1, vmr_producer_size(3, 4));

    CHECK(memory);
    free(rig.tx_memory);
    free(rig.rx_memory);
    memset(&rig, 0, sizeof(rig));
    rig.geo = geo;
    rig.tx_memory = memory;
    vmr_producer_init(&rig.tx, memory, 3, 4);
    call_everything();
    CHECK_EQ(vcpu_post(&rig, 0, 1, 1000), VMR_FLUSH_QUIET);
    CHECK_EQ(vcpu_post(&rig, 2, 99, 5), VMR_FLUSH_QUIET);
    pass_by(2);
    call_everything();
    rig_attach(&rig);
    CHECK_EQ(vcpu_taken(&rig, 0, 1).flags, 0);
}

int main(void)
{
    for (int i = 0; i < 2; i++) {
        has_left = i;
        nobody_is_there();
    }
    amid_a_push();
    has_no_foreign_lane();
    never_was();
    return 0;
}
