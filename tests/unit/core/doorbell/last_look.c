/* SPDX-License-Identifier: MIT */
/*
 * Description: a bit that is set after everything was drained, and before the
 * consumer has armed, keeps it awake and unarmed: for each vCPU and lane.
 */
#include "rig.h"

#define VCPUS 130

static struct rig rig;

static void keeps_awake(xen_vm_ring_u64 *bits, uint32_t bit)
{
    struct vmr_bell_rx *bell = &rig.rx.groups[0].bell;

    bits[bit / 64] = 1ULL << bit % 64;
    CHECK(!vmr_bell_arm(bell));
    CHECK_EQ(rig_group(&rig, 0)->armed, 0);
    bits[bit / 64] = 0;
    CHECK(vmr_bell_arm(bell));
    CHECK_EQ(rig_group(&rig, 0)->armed, 1);
    vmr_bell_disarm(bell);
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(VCPUS, 1, 0, 2);

    rig_make(&rig, &geo);
    for (uint32_t v = 0; v < VCPUS; v++)
        keeps_awake(rig.rx.groups[0].bell.attn_request, v);
    for (uint32_t lane = 0; lane <= VCPUS; lane++)
        keeps_awake(rig.rx.groups[0].bell.attn_lane, lane);
    return 0;
}
