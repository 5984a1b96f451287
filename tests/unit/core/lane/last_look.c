/* SPDX-License-Identifier: MIT */
/*
 * Description: the last look at a cursor, as its consumer goes or its lane is
 * frozen, is by the same rule: what is believed is where a successor starts,
 * and a lie faults the lane though it has room.  An overwriting lane, which
 * goes by no cursor, is only counted as faulted.
 */
#include "rig.h"

#define SLOTS 4

static struct rig rig;

static bool push(void)
{
    struct xen_vm_ring_event event = rig_event(1, 0, 1);

    return vmr_producer_push(&rig.tx, 0, &event);
}

/* The cursor is at 4 and believed, the head at 7, and there is room for 1. */
static void begin(void)
{
    struct vmr_geometry geo = rig_geometry(1, 1, 0, SLOTS);

    rig_make(&rig, &geo);
    for (int i = 0; i < SLOTS; i++)
        CHECK(push());
    rig_cursor(&rig, 0)->cons = 4;
    for (int i = 0; i < 3; i++)
        CHECK(push());
}

static void end_at(uint64_t cursor, bool detach, uint64_t resume)
{
    bool is_lie = cursor != resume;

    begin();
    rig_cursor(&rig, 0)->cons = cursor;
    if (detach) {
        struct vmr_verdict verdict;

        vmr_producer_sweep(&rig.tx);
        CHECK(!rig_collect(&rig, &verdict));
        CHECK_EQ(rig.tx.lane_faults, is_lie);
        /* Nobody reads it any more. */
        rig_cursor(&rig, 0)->cons = 7;
        CHECK_EQ(push(), !is_lie);
        CHECK_EQ(rig_lane(&rig, 0)->head, is_lie ? 7 : 8);
        CHECK_EQ(rig_lane(&rig, 0)->lost, is_lie);
    }
    vmr_producer_freeze(&rig.tx);
    CHECK_EQ(rig.tx.lane_faults, is_lie);
    CHECK_EQ(rig_lane(&rig, 0)->resume, resume);
    CHECK_EQ(((struct xen_vm_ring_header *)(void *)rig.p)->producer_state,
             XEN_VM_RING_PRODUCER_FROZEN);
}

static void end_overwriting(uint64_t cursor)
{
    struct vmr_geometry geo =
        rig_geometry(1, 1, XEN_VM_RING_POLICY_OVERWRITE, SLOTS);

    rig_make(&rig, &geo);
    for (int i = 0; i < SLOTS + 1; i++)
        CHECK(push());
    rig_cursor(&rig, 0)->cons = cursor;
    CHECK(vmr_producer_freeze(&rig.tx));
    CHECK_EQ(rig.tx.lane_faults, cursor > SLOTS + 1);
    vmr_producer_thaw(&rig.tx);
    for (int i = 0; i < 2 * SLOTS; i++)
        CHECK(push());
    CHECK_EQ(rig_lane(&rig, 0)->head, 3 * SLOTS + 1);
    CHECK_EQ(rig_lane(&rig, 0)->lost, 0);
}

int main(void)
{
    for (int detach = 0; detach < 2; detach++) {
        end_at(4, detach, 4);
        end_at(6, detach, 6);
        end_at(7, detach, 7);
        end_at(3, detach, 4); /* went back, not further than the lane */
        end_at(8, detach, 4);
        end_at(UINT64_MAX, detach, 4);
    }
    end_overwriting(2);
    end_overwriting(UINT64_MAX);
    return 0;
}
