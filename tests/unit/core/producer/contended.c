/* SPDX-License-Identifier: MIT */
/*
 * Description: who finds the lane of no vCPU taken counts in a word of its
 * own, and does not wait.
 */
#include "rig.h"

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 4);
    struct xen_vm_ring_event event = rig_event(1, 0, 1);
    uint64_t head, lost;

    rig_make(&rig, &geo);
    CHECK(vmr_producer_push(&rig.tx, 2, &event));
    rig.tx.foreign.lock = 1; /* another is at it, and preempted */
    for (int i = 0; i < 5; i++)
        CHECK(!vmr_producer_push(&rig.tx, 2, &event));
    CHECK(vmr_producer_push(&rig.tx, 1, &event));
    (void)vmr_producer_flush(&rig.tx); /* has one try, too */
    CHECK_EQ(rig_lane(&rig, 2)->lost_contended, 0);
    rig.tx.foreign.lock = 0;
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(rig_lane(&rig, 2)->lost_contended, 5);
    CHECK(vmr_producer_push(&rig.tx, 2, &event));
    CHECK_EQ(rig_lane(&rig, 2)->lost, 0);
    CHECK_EQ(rig_lane(&rig, 2)->lost_contended, 5);
    vmr_consumer_lane(&rig.rx, 2, &head, &lost);
    CHECK_EQ(head, 2);
    CHECK_EQ(lost, 5);
    return 0;
}
