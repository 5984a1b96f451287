/* SPDX-License-Identifier: MIT */
/*
 * Description: in an overwriting lane that nobody writes any more a record that
 * is not whole is a lie, wherever in the lane and whatever its state says; but
 * for the one that a killed producer was in the middle of.
 */
#include "rig.h"

#define SLOTS 8

static struct rig rig;

/* Twelve pushed: positions 4 to 11 are there. */
static struct vmr_lane_rx begin(uint64_t position, uint64_t state)
{
    struct vmr_geometry geo =
        rig_geometry(1, 1, XEN_VM_RING_POLICY_OVERWRITE, SLOTS);
    struct vmr_lane_rx rx;

    rig_make(&rig, &geo);
    for (uint64_t i = 0; i < 12; i++) {
        struct xen_vm_ring_event event = rig_event(1, 0, i);

        CHECK(rig_push(&rig, 0, &event));
    }
    ((struct xen_vm_ring_event *)(void *)(rig.p + rig.geo.record_off +
                                          position % SLOTS *
                                              rig.geo.record_len))
        ->state = state;
    vmr_lane_rx_init(&rx, &rig.geo, 0, rig.p, NULL);
    vmr_lane_rx_resume(&rx);
    return rx;
}

static void lies(uint64_t position, uint64_t state)
{
    struct vmr_lane_rx rx = begin(position, state);
    struct xen_vm_ring_event event;

    for (uint64_t i = 4; i < position; i++) {
        CHECK_EQ(vmr_lane_pull(&rx, &event), VMR_PULL_EVENT);
        CHECK_EQ(event.u.words[0], i);
    }
    CHECK_EQ(vmr_lane_pull(&rx, &event), VMR_PULL_BROKEN);
    CHECK_EQ(rx.overwritten, 4); /* those that are no more, no lie */
    CHECK_EQ(rx.taken, position - 4);
}

/* A push of position 12 that did not end. */
static void was_killed(uint64_t state)
{
    struct vmr_lane_rx rx = begin(4, state);
    struct xen_vm_ring_event event;

    CHECK_EQ(vmr_lane_pull(&rx, &event), VMR_PULL_AGAIN);
    for (uint64_t i = 5; i < 12; i++) {
        CHECK_EQ(vmr_lane_pull(&rx, &event), VMR_PULL_EVENT);
        CHECK_EQ(event.u.words[0], i);
    }
    CHECK_EQ(vmr_lane_pull(&rx, &event), VMR_PULL_NONE);
    CHECK_EQ(rx.overwritten, 5);
}

int main(void)
{
    for (uint64_t position = 4; position < 12; position++) {
        lies(position, 0);
        lies(position, 2 * position + 1);
        lies(position, 2 * (position + 1) + 2);
        lies(position, 2 * (position + 2 * SLOTS) + 1);
        if (position > 4) {
            lies(position, 2 * (position + SLOTS) + 1);
            lies(position, 2 * (position + SLOTS) + 2);
        }
    }
    was_killed(2 * 12 + 1);
    was_killed(2 * 12 + 2);
    return 0;
}
