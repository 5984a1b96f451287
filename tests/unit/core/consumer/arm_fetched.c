/* SPDX-License-Identifier: MIT */
/*
 * Description: what a consumer knows of and has not looked at, whose bits are
 * clear in the shared words, keeps it from sleeping; a rescan makes it look
 * at what no bit tells of.
 */
#include "rig.h"

static struct rig rig;

static void push(uint32_t lane)
{
    struct xen_vm_ring_event event = rig_event(1, lane, 1);

    CHECK(vmr_producer_push(&rig.tx, lane, &event));
}

static void post(uint32_t vcpu)
{
    struct vmr_request request = rig_request(vcpu, 1, VMR_NO_DEADLINE);

    CHECK(vmr_producer_post(&rig.tx, &request));
}

static void next_is(enum vmr_next expected, uint32_t expected_where)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), expected);
    if (expected != VMR_NEXT_NONE)
        CHECK_EQ(where, expected_where);
}

/* Nobody flushes: there is no bit. */
static void rescan(void)
{
    next_is(VMR_NEXT_NONE, 0);
    post(3);
    next_is(VMR_NEXT_NONE, 0);
    vmr_consumer_rescan(&rig.rx, 0);
    next_is(VMR_NEXT_REQUEST, 3);
    next_is(VMR_NEXT_NONE, 0);
    /* Lanes that it would look at some more times are left when it arms. */
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    vmr_consumer_disarm(&rig.rx, 0);
    push(4);
    next_is(VMR_NEXT_NONE, 0);
    vmr_consumer_rescan(&rig.rx, 0);
    next_is(VMR_NEXT_RECORD, 4);
    next_is(VMR_NEXT_NONE, 0);
}

/*
 * A lane that it has been to is asked itself: whether a record that was seen
 * already is left there, or one that no bit tells of.
 */
static void drained_lane(void)
{
    push(1);
    push(1);
    (void)vmr_producer_flush(&rig.tx);
    next_is(VMR_NEXT_RECORD, 1);
    CHECK_EQ(rig.rx.lanes[1].end - rig.rx.lanes[1].tail, 1);
    CHECK(!vmr_consumer_arm(&rig.rx, 0));
    CHECK_EQ(rig_group(&rig, 0)->armed, 0);
    next_is(VMR_NEXT_RECORD, 1);
    push(1);
    (void)vmr_producer_flush(&rig.tx);
    rig.rx.groups[0].bell.attn_lane[0] = 0;
    CHECK_EQ(rig.rx.lanes[1].end - rig.rx.lanes[1].tail, 0);
    CHECK(!vmr_consumer_arm(&rig.rx, 0));
    CHECK_EQ(rig_group(&rig, 0)->armed, 0);
    next_is(VMR_NEXT_RECORD, 1);
    next_is(VMR_NEXT_NONE, 0);
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    vmr_consumer_disarm(&rig.rx, 0);
}

/* Nothing was overrun there, so that its word goes back is a lie. */
static void lane_gone_back(const struct vmr_geometry *geo)
{
    rig_make(&rig, geo);
    push(1);
    (void)vmr_producer_flush(&rig.tx);
    next_is(VMR_NEXT_RECORD, 1);
    next_is(VMR_NEXT_NONE, 0);
    rig.tx.lanes[1].line->shown--;
    CHECK(!vmr_consumer_arm(&rig.rx, 0));
    CHECK_EQ(rig_group(&rig, 0)->armed, 0);
    next_is(VMR_NEXT_BROKEN, 1);
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(4, 1, 0, 2);
    struct xen_vm_ring_event event;
    uint32_t where;

    rig_make(&rig, &geo);
    next_is(VMR_NEXT_NONE, 0);

    post(1);
    post(2);
    (void)vmr_producer_flush(&rig.tx);
    next_is(VMR_NEXT_REQUEST, 1);
    CHECK(!vmr_consumer_arm(&rig.rx, 0));
    next_is(VMR_NEXT_REQUEST, 2);
    next_is(VMR_NEXT_NONE, 0);
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    vmr_consumer_disarm(&rig.rx, 0);

    push(2);
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(vmr_consumer_take(&rig.rx, 0, &event, &where), VMR_NEXT_NONE);
    CHECK(!vmr_consumer_arm(&rig.rx, 0));
    next_is(VMR_NEXT_RECORD, 2);
    next_is(VMR_NEXT_NONE, 0);
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    vmr_consumer_disarm(&rig.rx, 0);

    drained_lane();
    rescan();
    lane_gone_back(&geo);
    return 0;
}
