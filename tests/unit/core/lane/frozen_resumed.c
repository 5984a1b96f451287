/* SPDX-License-Identifier: MIT */
/*
 * Description: a successor drains a frozen lane from the last cursor that was
 * believed to the head, and no record before it.
 */
#include "rig.h"

#define SLOTS 8

static void drain(uint64_t cursor)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(2, 1, 0, SLOTS);
    struct xen_vm_ring_event event;
    struct vmr_lane_rx rx;

    rig_make(&rig, &geo);
    for (uint64_t i = 0; i < SLOTS; i++) {
        event = rig_event(1, 1, i);
        CHECK(vmr_producer_push(&rig.tx, 1, &event));
    }
    rig_cursor(&rig, 1)->cons = cursor;
    vmr_producer_freeze(&rig.tx);

    vmr_lane_rx_init(&rx, &geo, 1, rig.p, NULL);
    vmr_lane_rx_resume(&rx);
    for (uint64_t i = cursor; i < SLOTS; i++) {
        CHECK_EQ(vmr_lane_pull(&rx, &event), VMR_PULL_EVENT);
        CHECK_EQ(event.u.words[0], i);
    }
    CHECK_EQ(vmr_lane_pull(&rx, &event), VMR_PULL_NONE);
    CHECK_EQ(rx.taken, SLOTS - cursor);
    vmr_lane_publish_cursor(&rx); /* there is none */
    CHECK_EQ(rig_cursor(&rig, 1)->cons, cursor);
}

int main(void)
{
    for (uint64_t cursor = 0; cursor <= SLOTS; cursor++)
        drain(cursor);
    return 0;
}
