/* SPDX-License-Identifier: MIT */
/*
 * Description: where nothing is overwritten, a head beyond the slots is a
 * fault, though every record says what its position should have.
 */
#include "rig.h"

#define SLOTS 4

static enum vmr_pull pull_at(uint64_t head)
{
    static struct rig rig;
    struct vmr_geometry geo =
        rig_geometry(1, 1, XEN_VM_RING_POLICY_DISCARD, SLOTS);
    struct xen_vm_ring_event event;

    rig_make(&rig, &geo);
    for (uint64_t h = 0; h < head; h++) {
        event = rig_event(1, 0, h);
        event.state = 2 * h + 2;
        memcpy(rig.p + geo.record_off + h % SLOTS * geo.record_len, &event,
               XEN_VM_RING_EVENT_HEAD);
    }
    rig_lane(&rig, 0)->head = rig_lane(&rig, 0)->shown = head;
    return vmr_lane_pull(&rig.rx.lanes[0], &event);
}

int main(void)
{
    CHECK_EQ(pull_at(1), VMR_PULL_EVENT);
    CHECK_EQ(pull_at(SLOTS), VMR_PULL_EVENT);
    CHECK_EQ(pull_at(SLOTS + 1), VMR_PULL_BROKEN);
    CHECK_EQ(pull_at(2 * SLOTS), VMR_PULL_BROKEN);
    return 0;
}
