/* SPDX-License-Identifier: MIT */
/*
 * Description: a record that is filled in its lane is there once it is
 * committed, and whole; without room, or without room for registers, there is
 * nothing to fill; and one that is never committed is in no count, and in the
 * way of nobody, as long as the lane is live and once it is frozen.
 */
#include "rig.h"

#define SLOTS 4

static struct rig rig;

static void make(uint32_t policy, uint32_t record_len)
{
    struct vmr_geometry geo = rig_geometry(1, 1, policy, SLOTS);

    geo.record_len = record_len;
    CHECK(vmr_geometry_lay_out(&geo, (uint64_t)2 * SLOTS * record_len));
    CHECK_EQ(geo.nr_records, SLOTS);
    rig_make(&rig, &geo);
}

/* An event whose registers nobody reads. */
static struct xen_vm_ring_event event_of(uint64_t number)
{
    struct xen_vm_ring_event event = rig_event(4, 0, number);

    event.length = XEN_VM_RING_EVENT_FULL;
    memset(&event.regs, 0xee, sizeof(event.regs));
    return event;
}

static bool reserve(uint64_t number, union xen_vm_ring_tail **regs)
{
    struct xen_vm_ring_event event = event_of(number);

    return vmr_producer_reserve_own(&rig.tx, 0, &event, regs);
}

static void fill(union xen_vm_ring_tail *regs, uint64_t number)
{
    for (size_t i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
        vmr_store_relaxed(&regs->words[i], number + i);
}

static void push(uint64_t number)
{
    union xen_vm_ring_tail *regs = NULL;

    CHECK(reserve(number, &regs));
    fill(regs, number);
    vmr_producer_commit_own(&rig.tx, 0);
}

static void taken(struct vmr_lane_rx *rx, uint64_t number)
{
    struct xen_vm_ring_event event;

    CHECK_EQ(vmr_lane_pull(rx, &event), VMR_PULL_EVENT);
    CHECK_EQ(event.u.words[0], number);
    CHECK_EQ(event.length, XEN_VM_RING_EVENT_FULL);
    CHECK(!(event.flags & XEN_VM_RING_FLAG_REGS_CUT));
    for (size_t i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
        CHECK_EQ(event.regs.words[i], number + i);
}

static void all_round(uint32_t policy)
{
    struct vmr_lane_rx *rx;

    make(policy, 448);
    rx = &rig.rx.lanes[0];
    for (uint64_t i = 0; i < 3 * SLOTS; i++) {
        union xen_vm_ring_tail *regs = NULL;
        struct xen_vm_ring_event event;

        CHECK(reserve(i, &regs));
        CHECK((unsigned char *)regs == rig.p + rig.geo.record_off +
                                           i % SLOTS * 448 +
                                           XEN_VM_RING_EVENT_HEAD);
        fill(regs, i);
        /* Not there before it is committed, whoever tells of it. */
        CHECK_EQ(rig_lane(&rig, 0)->head, i);
        CHECK_EQ(vmr_producer_flush_own(&rig.tx, 0), VMR_FLUSH_QUIET);
        vmr_lane_rx_to_head(rx);
        CHECK_EQ(vmr_lane_pull(rx, &event), VMR_PULL_NONE);
        vmr_producer_commit_own(&rig.tx, 0);
        CHECK_EQ(rig_lane(&rig, 0)->head, i + 1);
        (void)vmr_producer_flush_own(&rig.tx, 0);
        CHECK_EQ(rig_lane(&rig, 0)->shown, i + 1);
        taken(rx, i);
        vmr_lane_publish_cursor(rx);
    }
    CHECK_EQ(rx->overwritten, 0);
}

static void without_room(void)
{
    union xen_vm_ring_tail *regs = NULL;

    make(XEN_VM_RING_POLICY_DISCARD, 448);
    for (uint64_t i = 0; i < SLOTS; i++)
        push(i);
    CHECK(!reserve(SLOTS, &regs));
    CHECK(!regs);
    CHECK_EQ(rig_lane(&rig, 0)->lost, 1);
    CHECK_EQ(rig_lane(&rig, 0)->head, SLOTS);
}

static void cut(uint32_t record_len, uint32_t length, uint32_t flags)
{
    union xen_vm_ring_tail *regs;
    struct xen_vm_ring_event event = event_of(7), got;
    unsigned char *next;

    make(XEN_VM_RING_POLICY_DISCARD, record_len);
    next = rig.p + rig.geo.record_off + XEN_VM_RING_EVENT_HEAD;
    event.length = (uint16_t)length;
    regs = (void *)next;
    CHECK(vmr_producer_reserve_own(&rig.tx, 0, &event, &regs));
    CHECK(!regs);
    vmr_producer_commit_own(&rig.tx, 0);
    for (uint32_t i = 0; i < 344; i++)
        CHECK_EQ(next[i], 0);
    (void)vmr_producer_flush_own(&rig.tx, 0);
    CHECK_EQ(vmr_lane_pull(&rig.rx.lanes[0], &got), VMR_PULL_EVENT);
    CHECK_EQ(got.length, XEN_VM_RING_EVENT_HEAD);
    CHECK_EQ(got.flags, event.flags | flags);
}

/* As if the producer had been killed: a record of position 6 is not there. */
static void never_committed(uint32_t policy)
{
    bool overwrites = policy == XEN_VM_RING_POLICY_OVERWRITE;
    union xen_vm_ring_tail *regs;
    struct xen_vm_ring_event event;
    struct vmr_lane_rx *rx, heir;

    make(policy, 448);
    rx = &rig.rx.lanes[0];
    for (uint64_t i = 0; i < 6; i++) {
        push(i);
        if (!overwrites && i < 2) {
            (void)vmr_producer_flush_own(&rig.tx, 0);
            taken(rx, i);
            vmr_lane_publish_cursor(rx);
        }
    }
    /* Room for one more, to be discarded from. */
    if (!overwrites) {
        (void)vmr_producer_flush_own(&rig.tx, 0);
        taken(rx, 2);
        vmr_lane_publish_cursor(rx);
    }
    CHECK(reserve(6, &regs));
    fill(regs, 999);
    CHECK_EQ(rig_lane(&rig, 0)->head, 6);
    CHECK_EQ(rig_lane(&rig, 0)->lost, 0);

    /* The lane's next record has its place. */
    if (overwrites) {
        (void)vmr_producer_flush_own(&rig.tx, 0);
        CHECK_EQ(vmr_lane_pull(rx, &event), VMR_PULL_AGAIN);
        CHECK_EQ(rx->overwritten, 3);
        taken(rx, 3);
    }
    CHECK(reserve(6, &regs));
    CHECK(vmr_producer_freeze(&rig.tx));

    vmr_lane_rx_init(&heir, &rig.geo, 0, rig.p, NULL);
    vmr_lane_rx_resume(&heir);
    if (overwrites)
        CHECK_EQ(vmr_lane_pull(&heir, &event), VMR_PULL_AGAIN);
    for (uint64_t i = 3; i < 6; i++)
        taken(&heir, i);
    CHECK_EQ(vmr_lane_pull(&heir, &event), VMR_PULL_NONE);
    CHECK_EQ(heir.overwritten, overwrites ? 3 : 0);

    vmr_producer_thaw(&rig.tx);
    push(6);
    CHECK_EQ(rig_lane(&rig, 0)->head, 7);
    (void)vmr_producer_flush_own(&rig.tx, 0);
    for (uint64_t i = overwrites ? 4 : 3; i < 7; i++)
        taken(rx, i);
    CHECK_EQ(rx->overwritten, overwrites ? 3 : 0);
}

int main(void)
{
    all_round(XEN_VM_RING_POLICY_DISCARD);
    all_round(XEN_VM_RING_POLICY_OVERWRITE);
    without_room();
    cut(64, XEN_VM_RING_EVENT_FULL, XEN_VM_RING_FLAG_REGS_CUT);
    cut(384, XEN_VM_RING_EVENT_FULL, XEN_VM_RING_FLAG_REGS_CUT);
    cut(448, XEN_VM_RING_EVENT_HEAD, 0);
    cut(448, 100, 0);
    never_committed(XEN_VM_RING_POLICY_DISCARD);
    never_committed(XEN_VM_RING_POLICY_OVERWRITE);
    return 0;
}
