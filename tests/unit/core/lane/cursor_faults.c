/* SPDX-License-Identifier: MIT */
/*
 * Description: a cursor that went back, beyond the head or anywhere else
 * faults its lane, for good, and only it; everything then counts as lost.
 */
#include "rig.h"

static void lie(uint64_t cursor)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(2, 1, XEN_VM_RING_POLICY_DISCARD, 4);
    struct xen_vm_ring_event event = rig_event(1, 0, 1);

    rig_make(&rig, &geo);
    /* The cursor is at 2 and believed, the head at 6: the lane is full. */
    for (int i = 0; i < 4; i++)
        CHECK(vmr_producer_push(&rig.tx, 0, &event));
    rig_cursor(&rig, 0)->cons = 2;
    CHECK(vmr_producer_push(&rig.tx, 0, &event));
    CHECK(vmr_producer_push(&rig.tx, 0, &event));

    rig_cursor(&rig, 0)->cons = cursor;
    CHECK(!vmr_producer_push(&rig.tx, 0, &event));
    CHECK_EQ(rig.tx.lane_faults, 1);
    /* A good one comes too late. */
    rig_cursor(&rig, 0)->cons = 6;
    for (int i = 0; i < 10; i++)
        CHECK(!vmr_producer_push(&rig.tx, 0, &event));
    CHECK_EQ(rig.tx.lane_faults, 1);
    CHECK_EQ(rig_lane(&rig, 0)->head, 6);
    CHECK_EQ(rig_lane(&rig, 0)->lost, 11);
    CHECK(vmr_producer_push(&rig.tx, 1, &event));

    /* The successor starts at the last cursor that was believed. */
    vmr_producer_freeze(&rig.tx);
    CHECK_EQ(rig_lane(&rig, 0)->resume, 2);
    rig_attach(&rig);
    CHECK(vmr_producer_push(&rig.tx, 0, &event));
}

int main(void)
{
    lie(1);
    lie(0);
    lie(7);
    lie(6 + (1ULL << 32));
    lie(1ULL << 63);
    lie(UINT64_MAX);
    return 0;
}
