/* SPDX-License-Identifier: MIT */
/*
 * Description: overwrite oldest with registers: a producer that laps a
 * consumer which takes nothing goes on, and each record that is left comes
 * whole.
 */
#include "rig.h"

#define SLOTS 4

static struct xen_vm_ring_event full_event(uint64_t number)
{
    struct xen_vm_ring_event event =
        rig_event(XEN_VM_RING_REASON_MOV_TO_MSR, 0, number);

    event.length = XEN_VM_RING_EVENT_FULL;
    memset(&event.regs, (int)(number & 0x7f), sizeof(event.regs));
    return event;
}

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo =
        rig_geometry(1, 1, XEN_VM_RING_POLICY_OVERWRITE, SLOTS);
    struct xen_vm_ring_event event, expected;
    uint64_t pushed = 0;

    geo.record_len = XEN_VM_RING_MAX_RECORD;
    CHECK(vmr_geometry_lay_out(&geo, (uint64_t)SLOTS * geo.nr_lanes *
                                         geo.record_len));
    CHECK_EQ(geo.nr_records, SLOTS);
    rig_make(&rig, &geo);
    for (unsigned int round = 1; round < 20; round++) {
        struct vmr_lane_rx *rx = &rig.rx.lanes[0];
        uint64_t left = round < SLOTS ? round : SLOTS;

        for (unsigned int i = 0; i < round; i++) {
            event = full_event(pushed++);
            CHECK(rig_push(&rig, 0, &event));
        }
        rx->gap = 0;
        for (uint64_t number = pushed - left; number < pushed; number++) {
            CHECK_EQ(vmr_lane_pull(rx, &event), VMR_PULL_EVENT);
            CHECK_EQ(rx->gap, round - left);
            expected = full_event(number);
            CHECK_EQ(event.length, XEN_VM_RING_EVENT_FULL);
            CHECK_EQ(event.u.words[0], number);
            CHECK(!memcmp(&event.regs, &expected.regs, sizeof(event.regs)));
        }
        CHECK_EQ(vmr_lane_pull(rx, &event), VMR_PULL_NONE);
        CHECK_EQ(rig_lane(&rig, 0)->lost, 0);
    }
    return 0;
}
