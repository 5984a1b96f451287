/* SPDX-License-Identifier: MIT */
/* Description: registers come along where records hold them, else are cut. */
#include "rig.h"

static void pass(uint32_t record_len, uint32_t length, uint32_t expected)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(1, 1, XEN_VM_RING_POLICY_DISCARD, 2);
    struct xen_vm_ring_event event = rig_event(4, 0, 9), got;

    geo.record_len = record_len;
    CHECK(vmr_geometry_lay_out(&geo, 8 * record_len));
    rig_make(&rig, &geo);
    event.length = (uint16_t)length;
    memset(&event.regs, 0x5a, sizeof(event.regs));
    for (int i = 0; i < 6; i++) {
        memset(&got, 0, sizeof(got));
        CHECK(rig_push(&rig, 1, &event));
        CHECK_EQ(vmr_lane_pull(&rig.rx.lanes[1], &got), VMR_PULL_EVENT);
        vmr_lane_publish_cursor(&rig.rx.lanes[1]);
        CHECK_EQ(got.length, expected);
        CHECK_EQ(got.u.words[3], 9);
        /* Had it registers? */
        CHECK_EQ(got.flags, length >= XEN_VM_RING_EVENT_FULL &&
                                    expected < XEN_VM_RING_EVENT_FULL
                                ? event.flags | XEN_VM_RING_FLAG_REGS_CUT
                                : event.flags);
        if (expected == XEN_VM_RING_EVENT_FULL)
            CHECK(!memcmp(&got.regs, &event.regs, sizeof(got.regs)));
        else
            CHECK_EQ(got.regs.words[0], 0);
    }
}

int main(void)
{
    uint32_t head = XEN_VM_RING_EVENT_HEAD, full = XEN_VM_RING_EVENT_FULL;

    pass(64, head, head);
    pass(64, full, head);
    pass(384, full, head); /* 408 do not fit */
    pass(448, full, full);
    pass(448, head, head);
    pass(512, full, full);
    pass(512, 100, head); /* neither the one nor the other */
    pass(512, 65535, full);
    return 0;
}
