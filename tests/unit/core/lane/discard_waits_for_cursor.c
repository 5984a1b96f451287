/* SPDX-License-Identifier: MIT */
/*
 * Description: a record's slot is not used again before the cursor is out; who
 * finds no room shows what nobody has flushed, so that there can be some.
 */
#include "rig.h"

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(1, 1, XEN_VM_RING_POLICY_DISCARD, 2);
    struct xen_vm_ring_event event = rig_event(1, 0, 1);

    rig_make(&rig, &geo);
    CHECK(rig_push(&rig, 0, &event));
    CHECK(rig_push(&rig, 0, &event));
    CHECK(!rig_push(&rig, 0, &event));
    CHECK_EQ(vmr_lane_pull(&rig.rx.lanes[0], &event), VMR_PULL_EVENT);
    CHECK(!rig_push(&rig, 0, &event));
    vmr_lane_publish_cursor(&rig.rx.lanes[0]);
    CHECK(rig_push(&rig, 0, &event));
    CHECK(!rig_push(&rig, 0, &event));
    CHECK_EQ(rig_lane(&rig, 0)->head, 3);
    CHECK_EQ(rig_lane(&rig, 0)->lost, 3);

    rig_make(&rig, &geo);
    CHECK(vmr_lane_push(&rig.tx.lanes[0], &event));
    CHECK(vmr_lane_push(&rig.tx.lanes[0], &event));
    CHECK_EQ(vmr_lane_pull(&rig.rx.lanes[0], &event), VMR_PULL_NONE);
    CHECK(!vmr_lane_push(&rig.tx.lanes[0], &event));
    for (int i = 0; i < 2; i++)
        CHECK_EQ(vmr_lane_pull(&rig.rx.lanes[0], &event), VMR_PULL_EVENT);
    vmr_lane_publish_cursor(&rig.rx.lanes[0]);
    CHECK(vmr_lane_push(&rig.tx.lanes[0], &event));
    return 0;
}
