/* SPDX-License-Identifier: MIT */
/*
 * Description: whoever drains a frozen region has no cursor to publish, and
 * a region too short for a header is none.
 */
#include "rig.h"

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(1, 1, 0, 2), seen;
    struct xen_vm_ring_event event =
        rig_event(XEN_VM_RING_REASON_MOV_TO_MSR, 0, 1);
    struct vmr_lane_rx lane;

    rig_make(&rig, &geo);
    CHECK(vmr_producer_push(&rig.tx, 0, &event));
    vmr_producer_freeze(&rig.tx);
    CHECK(vmr_geometry_read(&seen, (void *)rig.p, geo.p_len, VMR_ANY_LEN));
    vmr_lane_rx_init(&lane, &seen, 0, rig.p, NULL);
    vmr_lane_rx_resume(&lane);
    CHECK(!vmr_lane_is_drained(&lane)); /* head says more, unseen yet */
    CHECK_EQ(vmr_lane_pull(&lane, &event), VMR_PULL_EVENT);
    CHECK(vmr_lane_is_drained(&lane));
    vmr_lane_publish_cursor(&lane);
    CHECK_EQ(rig_cursor(&rig, 0)->cons, 0);

    CHECK(!vmr_geometry_read(&seen, (void *)rig.p,
                             sizeof(struct xen_vm_ring_header) - 8,
                             VMR_ANY_LEN));
    return 0;
}
