/* SPDX-License-Identifier: MIT */
/*
 * Description: a head, state or length that cannot be is a sticky fault; of
 * an overwriting lane a state that moved on is a gap, by no more than that.
 */
#include "rig.h"

static struct rig rig;

static struct xen_vm_ring_event *record(uint64_t position)
{
    return (void *)(rig.p + rig.geo.record_off +
                    (position % rig.geo.nr_records) * rig.geo.record_len);
}

static void begin(uint32_t policy)
{
    struct vmr_geometry geo = rig_geometry(1, 1, policy, 4);
    struct xen_vm_ring_event event = rig_event(1, 0, 1);

    rig_make(&rig, &geo);
    for (int i = 0; i < 3; i++)
        CHECK(rig_push(&rig, 0, &event));
    CHECK_EQ(vmr_lane_pull(&rig.rx.lanes[0], &event), VMR_PULL_EVENT);
}

static void faults(void)
{
    struct xen_vm_ring_event event;

    CHECK_EQ(vmr_lane_pull(&rig.rx.lanes[0], &event), VMR_PULL_BROKEN);
    rig_lane(&rig, 0)->head = rig_lane(&rig, 0)->shown = 1;
    CHECK_EQ(vmr_lane_pull(&rig.rx.lanes[0], &event), VMR_PULL_BROKEN);
}

/* It is looked at when what it said before, 3, is taken. */
static void shown_is(uint32_t policy, uint64_t shown)
{
    struct xen_vm_ring_event event;

    begin(policy);
    rig_lane(&rig, 0)->shown = shown;
    CHECK_EQ(vmr_lane_pull(&rig.rx.lanes[0], &event), VMR_PULL_EVENT);
    CHECK_EQ(vmr_lane_pull(&rig.rx.lanes[0], &event), VMR_PULL_EVENT);
    /* Nobody goes to sleep on it. */
    CHECK(!vmr_lane_is_drained(&rig.rx.lanes[0]));
    faults();
}

/* A record that is not there makes it look at head. */
static void head_went_back(uint32_t policy, uint64_t head)
{
    begin(policy);
    record(1)->state = 0;
    rig_lane(&rig, 0)->head = head;
    faults();
    /* As if overwritten, by a position that head says is not there yet. */
    begin(policy);
    record(1)->state = 12; /* DONE(5) */
    rig_lane(&rig, 0)->head = head;
    faults();
    CHECK_EQ(rig.rx.lanes[0].overwritten, 0);
}

static void length_is(uint32_t policy, uint16_t length)
{
    begin(policy);
    record(1)->length = length;
    faults();
}

/* What no slot of this lane holds once head has passed. */
static void state_is(uint64_t state)
{
    for (uint32_t policy = 0; policy < 2; policy++) {
        begin(policy);
        record(1)->state = state;
        faults();
        CHECK_EQ(rig.rx.lanes[0].overwritten, 0);
    }
}

/* The last slot's, never written, reads like a position far away. */
static void never_written(void)
{
    struct xen_vm_ring_event event = rig_event(1, 0, 1);

    begin(XEN_VM_RING_POLICY_OVERWRITE);
    CHECK(rig_push(&rig, 0, &event));
    record(3)->state = 0;
    for (int i = 0; i < 2; i++)
        CHECK_EQ(vmr_lane_pull(&rig.rx.lanes[0], &event), VMR_PULL_EVENT);
    faults();
}

/* A later position's in the same slot: being overwritten, or a lie. */
static void overrun_by(uint64_t state)
{
    struct xen_vm_ring_event event;

    begin(XEN_VM_RING_POLICY_DISCARD);
    record(1)->state = state;
    faults();
    begin(XEN_VM_RING_POLICY_OVERWRITE);
    record(1)->state = state;
    CHECK_EQ(vmr_lane_pull(&rig.rx.lanes[0], &event), VMR_PULL_AGAIN);
    CHECK_EQ(rig.rx.lanes[0].gap, 1);
    CHECK_EQ(vmr_lane_pull(&rig.rx.lanes[0], &event), VMR_PULL_EVENT);
    CHECK_EQ(vmr_lane_pull(&rig.rx.lanes[0], &event), VMR_PULL_NONE);
}

int main(void)
{
    for (uint32_t policy = 0; policy < 2; policy++) {
        shown_is(policy, 0);
        shown_is(policy, UINT64_MAX);
        shown_is(policy, (1ULL << 63) + 5);
        head_went_back(policy, 0);
        head_went_back(policy, 1);
        head_went_back(policy, UINT64_MAX);
        length_is(policy, 0);
        length_is(policy, 63);
        length_is(policy, 65);
        length_is(policy, XEN_VM_RING_EVENT_FULL); /* longer than a record */
        length_is(policy, 65535);
    }
    shown_is(XEN_VM_RING_POLICY_DISCARD, 8);
    state_is(0);
    state_is(3); /* busy */
    state_is(6);
    state_is(2);  /* of the slot before */
    state_is(10); /* DONE(4): of another slot */
    state_is(UINT64_MAX);
    state_is(UINT64_MAX - 1);
    never_written();
    overrun_by(11); /* BUSY(5) */
    overrun_by(12);
    overrun_by(2 * (1 + 4 * 1000) + 1);
    return 0;
}
