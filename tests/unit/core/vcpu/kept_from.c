/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer that keeps a vCPU from its attention, or a group from
 * its hints, as it can where that takes a loop, is left alone by that vCPU or
 * group until another attaches; verdicts are given all the same.
 */
#include "by_vcpu.h"

/* The call that is kept from its word; 0: none is. */
static unsigned int kept_from;

static bool is_kept(void)
{
    return kept_from && !--kept_from;
}

static bool try_or(xen_vm_ring_u64 *p, uint64_t bits)
{
    return !is_kept() && vmr_or(p, bits);
}

static bool try_exchange(xen_vm_ring_u64 *p, uint64_t v, uint64_t *old)
{
    return !is_kept() && vmr_exchange(p, v, old);
}

/* The ring's own source, with these in the place of its atomics. */
#define vmr_or       try_or
#define vmr_exchange try_exchange
#include "core/doorbell.c"

static struct rig rig;

/* Two groups, whose consumers sleep. */
static void make(void)
{
    struct vmr_geometry geo = rig_geometry(4, 2, 0, 2);

    kept_from = 0;
    rig_make(&rig, &geo);
    for (uint32_t g = 0; g < 2; g++) {
        vcpu_none_taken(&rig, g);
        CHECK(vmr_consumer_arm(&rig.rx, g));
    }
}

/* Its bit, then the armed word. */
static void vcpu_flushes(unsigned int call)
{
    make();
    kept_from = call;
    CHECK_EQ(vcpu_post(&rig, 0, 1, 100), VMR_FLUSH_BROKEN);
    CHECK_EQ(kept_from, 0);
    /* Not even tried any more, by any call. */
    kept_from = 1;
    CHECK_EQ(vmr_vcpu_flush(&rig.tx, 0), VMR_FLUSH_QUIET);
    CHECK_EQ(vcpu_post(&rig, 0, 2, 100), VMR_FLUSH_QUIET);
    rig.now = 100;
    (void)vcpu_verdict(&rig, 0, 1, VMR_BY_DEADLINE);
    CHECK_EQ(vmr_vcpu_retire(&rig.tx, 0), VMR_FLUSH_QUIET);
    CHECK_EQ(kept_from, 1);
    /* Others of its group still try. */
    kept_from = 0;
    CHECK_EQ(vcpu_post(&rig, 2, 3, 200), VMR_FLUSH_RING);
    CHECK_EQ(vcpu_post(&rig, 1, 4, 200), VMR_FLUSH_RING);

    rig_attach(&rig);
    CHECK_EQ(vcpu_taken(&rig, 0, 2).flags, XEN_VM_RING_FLAG_REPOSTED);
    (void)vcpu_taken(&rig, 2, 3);
    vcpu_none_taken(&rig, 0);
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    (void)vcpu_verdict(&rig, 0, 2, VMR_BY_DEADLINE);
    (void)vmr_vcpu_retire(&rig.tx, 0);
    CHECK_EQ(vcpu_post(&rig, 0, 5, 200), VMR_FLUSH_RING);
}

static void answer(uint32_t vcpu, uint64_t number)
{
    struct xen_vm_ring_event event;

    (void)vcpu_post(&rig, vcpu, number, 200);
    event = vcpu_taken(&rig, vcpu, number);
    vcpu_answer(&rig, &event, 0);
    (void)vmr_consumer_flush(&rig.rx, vmr_group_of(&rig.geo, vcpu));
}

/* Not even tried any more; it is armed, or says that it is. */
static void is_left_alone(uint32_t group)
{
    uint32_t vcpu;

    kept_from = 1;
    CHECK(!vmr_group_answered(&rig.tx, group, &vcpu));
    CHECK(vmr_group_arm(&rig.tx, group));
    CHECK_EQ(kept_from, 1);
    kept_from = 0;
}

static void group_fetches(bool by_arming)
{
    uint32_t vcpu;

    make();
    answer(0, 1);
    answer(1, 2);
    kept_from = 1;
    if (by_arming)
        CHECK(vmr_group_arm(&rig.tx, 0));
    else
        CHECK(!vmr_group_answered(&rig.tx, 0, &vcpu));
    CHECK_EQ(kept_from, 0);
    is_left_alone(0);
    CHECK(vmr_group_answered(&rig.tx, 1, &vcpu)); /* another group's */
    CHECK_EQ(vcpu, 1);
    /* Nobody woke it; and yet the answer is there. */
    CHECK(vmr_vcpu_is_due(&rig.tx, 0));
    (void)vcpu_verdict(&rig, 0, 1, VMR_BY_CONSUMER);
    (void)vmr_vcpu_retire(&rig.tx, 0);
    rig_attach(&rig);
    answer(0, 3);
    CHECK(vmr_group_answered(&rig.tx, 0, &vcpu));
    CHECK_EQ(vcpu, 0);
}

/* What was fetched before is handed out. */
static void hint_is_left(void)
{
    uint32_t vcpu;

    make();
    *rig_answered(&rig, 0) = 3;
    CHECK(vmr_group_answered(&rig.tx, 0, &vcpu));
    *rig_answered(&rig, 0) = 1;
    kept_from = 1;
    CHECK(!vmr_group_arm(&rig.tx, 0));
    CHECK_EQ(rig.tx.bells[0].answers->armed, 0);
    CHECK(vmr_group_answered(&rig.tx, 0, &vcpu));
    CHECK_EQ(vcpu, 2);
    is_left_alone(0);
}

int main(void)
{
    for (unsigned int call = 1; call <= 2; call++)
        vcpu_flushes(call);
    group_fetches(false);
    group_fetches(true);
    hint_is_left();
    return 0;
}
