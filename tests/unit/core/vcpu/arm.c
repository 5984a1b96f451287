/* SPDX-License-Identifier: MIT */
/*
 * Description: a group that is armed is rung for the next answer, once for each
 * arming; where hints are there already it is not armed, and they are handed
 * out; each group by itself.
 */
#include "by_vcpu.h"

static struct rig rig;

static const xen_vm_ring_u64 *armed(uint32_t group)
{
    return &rig.tx.bells[group].answers->armed;
}

/* Was the doorbell for answers rung? */
static bool answer(uint32_t vcpu)
{
    struct xen_vm_ring_event event;
    static uint64_t number;

    (void)vcpu_post(&rig, vcpu, ++number, VMR_NO_DEADLINE);
    event = vcpu_taken(&rig, vcpu, number);
    vcpu_answer(&rig, &event, 0);
    (void)vcpu_verdict(&rig, vcpu, number, VMR_BY_CONSUMER);
    (void)vmr_vcpu_retire(&rig.tx, vcpu);
    return vmr_consumer_flush(&rig.rx, vmr_group_of(&rig.geo, vcpu));
}

static void is_next(uint32_t group, uint32_t vcpu)
{
    uint32_t hinted;

    CHECK(vmr_group_answered(&rig.tx, group, &hinted));
    CHECK_EQ(hinted, vcpu);
}

static void is_over(uint32_t group)
{
    uint32_t vcpu;

    CHECK(!vmr_group_answered(&rig.tx, group, &vcpu));
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(4, 2, 0, 2);

    rig_make(&rig, &geo);
    CHECK(!answer(0)); /* nobody has asked for it */
    CHECK(!vmr_group_arm(&rig.tx, 0));
    CHECK_EQ(*armed(0), 0);
    CHECK(!answer(2));
    is_next(0, 0); /* fetched by arming */
    CHECK(!vmr_group_arm(&rig.tx, 0));
    is_next(0, 2);
    is_over(0);
    CHECK(vmr_group_arm(&rig.tx, 0));
    CHECK(*armed(0));
    CHECK_EQ(*armed(1), 0);

    CHECK(!answer(1)); /* of a group that is not armed */
    CHECK(answer(2));
    CHECK(!answer(0));
    is_next(0, 0);
    is_next(0, 2);
    CHECK(!answer(0));
    is_next(0, 0);
    is_over(0);
    CHECK(vmr_group_arm(&rig.tx, 0));
    CHECK(answer(0));
    is_next(1, 1);
    is_over(1);
    CHECK(vmr_group_arm(&rig.tx, 1));
    CHECK(answer(3));

    /* Fetched, and not handed out yet: no sleep on them. */
    is_next(0, 0);
    rig_answered(&rig, 0)[0] = 3;
    is_next(0, 0);
    CHECK(!vmr_group_arm(&rig.tx, 0));
    is_next(0, 2);
    is_over(0);
    CHECK(vmr_group_arm(&rig.tx, 0));
    return 0;
}
