/* SPDX-License-Identifier: MIT */
/* Description: positions wrap around 2^63 and 2^64 as everywhere else. */
#include "rig.h"

static void seed_at(struct rig *rig, uint64_t position)
{
    rig->tx.lanes[0].head = rig->tx.lanes[0].cons = position;
    rig->tx.lanes[0].shown = position;
    rig_lane(rig, 0)->head = rig_lane(rig, 0)->shown = position;
    rig->rx.lanes[0].tail = rig->rx.lanes[0].end = position;
    rig->rx.groups[0].from = rig->rx.groups[0].until = position;
    rig_cursor(rig, 0)->cons = position;
}

static void discard(uint64_t position)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(1, 1, XEN_VM_RING_POLICY_DISCARD, 4);
    struct xen_vm_ring_event event;
    uint64_t taken = 0;

    rig_make(&rig, &geo);
    seed_at(&rig, position);
    for (uint64_t i = 0; i < 64; i++) {
        event = rig_event(1, 0, i);
        CHECK_EQ(rig_push(&rig, 0, &event), i % 8 < 4);
        if (i % 8 != 7)
            continue;
        while (vmr_lane_pull(&rig.rx.lanes[0], &event) == VMR_PULL_EVENT) {
            CHECK_EQ(event.u.words[0], i - 7 + taken % 4);
            taken++;
        }
        vmr_lane_publish_cursor(&rig.rx.lanes[0]);
    }
    CHECK_EQ(taken, 32);
    CHECK_EQ(rig_lane(&rig, 0)->head, position + 32);
    CHECK_EQ(rig_lane(&rig, 0)->lost, 32);
    CHECK(!rig.tx.lanes[0].faulted && !rig.rx.lanes[0].broken);
}

static void overwrite(uint64_t position)
{
    static struct rig rig;
    struct vmr_geometry geo =
        rig_geometry(1, 1, XEN_VM_RING_POLICY_OVERWRITE, 4);
    struct xen_vm_ring_event event;
    uint64_t taken = 0;

    rig_make(&rig, &geo);
    seed_at(&rig, position);
    for (uint64_t i = 0; i < 60; i++) {
        event = rig_event(1, 0, i);
        CHECK(rig_push(&rig, 0, &event));
        if (i % 6 != 5)
            continue;
        while (vmr_lane_pull(&rig.rx.lanes[0], &event) == VMR_PULL_EVENT) {
            CHECK_EQ(position + event.u.words[0], rig.rx.lanes[0].tail - 1);
            taken++;
        }
    }
    CHECK_EQ(taken, 40);
    CHECK_EQ(rig.rx.lanes[0].overwritten, 20);
    CHECK(!rig.rx.lanes[0].broken);
}

/* Nobody has published a cursor in 2^64 positions: it does not count. */
static void all_the_way(void)
{
    static struct rig rig;
    struct vmr_geometry geo =
        rig_geometry(1, 1, XEN_VM_RING_POLICY_OVERWRITE, 4);
    struct xen_vm_ring_event event = rig_event(1, 0, 0);

    rig_make(&rig, &geo);
    seed_at(&rig, UINT64_MAX - 4);
    rig.tx.lanes[0].cons = rig_cursor(&rig, 0)->cons = 0;
    for (int i = 0; i < 8; i++)
        CHECK(rig_push(&rig, 0, &event));
    CHECK_EQ(rig_lane(&rig, 0)->head, 3);
    CHECK_EQ(rig_lane(&rig, 0)->lost, 0);
}

int main(void)
{
    /* The state of a record is 2h + 1 or 2h + 2: it wraps at 2^63. */
    static const uint64_t positions[] = {(1ULL << 32) - 10, (1ULL << 62) - 10,
                                         (1ULL << 63) - 10, (1ULL << 63) - 1,
                                         UINT64_MAX - 10,   UINT64_MAX};

    for (size_t i = 0; i < sizeof(positions) / sizeof(positions[0]); i++) {
        discard(positions[i]);
        overwrite(positions[i]);
    }
    all_the_way();
    return 0;
}
