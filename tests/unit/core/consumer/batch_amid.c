/* SPDX-License-Identifier: MIT */
/*
 * Description: what interrupts a lane's batch leaves its count right: a
 * request, after which the lane goes on; a cursor that is published early; a
 * lap, or a record that is being overwritten; a fault, after which nothing
 * comes.
 */
#include "rig.h"

static struct rig rig;

static void push(uint32_t lane, uint64_t nr)
{
    for (uint64_t i = 1; i <= nr; i++) {
        struct xen_vm_ring_event event =
            rig_event(XEN_VM_RING_REASON_MOV_TO_MSR, lane, i);

        CHECK(vmr_producer_push(&rig.tx, lane, &event));
    }
}

static void begin_with(uint32_t policy)
{
    struct vmr_geometry geo = rig_geometry(2, 1, policy, 8);

    rig_make(&rig, &geo);
}

static void begin(void)
{
    begin_with(XEN_VM_RING_POLICY_DISCARD);
    push(0, 4);
    push(1, 4);
    (void)vmr_producer_flush(&rig.tx);
}

static void takes(uint32_t lane, uint64_t number)
{
    struct xen_vm_ring_event event = {.state = 0};
    uint32_t where = 99;

    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_RECORD);
    CHECK_EQ(where, lane);
    CHECK_EQ(event.state, 2 * rig.rx.lanes[lane].tail);
    CHECK_EQ(event.u.words[0], number);
}

static void gives(enum vmr_next next)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), next);
}

static void request(void)
{
    struct vmr_request request = rig_request(1, 7, 1000);

    begin();
    takes(0, 1);
    CHECK(vmr_producer_post(&rig.tx, &request));
    (void)vmr_producer_flush(&rig.tx);
    CHECK(!vmr_consumer_arm(&rig.rx, 0)); /* fetches its bit */
    gives(VMR_NEXT_REQUEST);
    takes(0, 2); /* not the other lane's: the batch has one yet */
    takes(0, 3);
}

static void publish(void)
{
    begin();
    takes(0, 1);
    vmr_consumer_publish(&rig.rx, 0);
    CHECK_EQ(rig_cursor(&rig, 0)->cons, 1);
    for (uint64_t i = 2; i <= 4; i++)
        takes(0, i);
    for (uint64_t i = 1; i <= 4; i++)
        takes(1, i);
    CHECK_EQ(rig_cursor(&rig, 1)->cons, 0);
    gives(VMR_NEXT_NONE);
    CHECK_EQ(rig_cursor(&rig, 0)->cons, 4);
    CHECK_EQ(rig_cursor(&rig, 1)->cons, 4);
}

/* Two requests are known, and one is taken alone: the other is next. */
static void taken_alone(void)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    begin();
    takes(0, 1);
    for (uint32_t v = 0; v < 2; v++) {
        struct vmr_request request = rig_request(v, 7, 1000);

        CHECK(vmr_producer_post(&rig.tx, &request));
    }
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(vmr_consumer_take(&rig.rx, 0, &event, &where), VMR_NEXT_REQUEST);
    gives(VMR_NEXT_REQUEST);
    takes(0, 2);
}

/* Before it sleeps it finds this lane drained, and another one not. */
static void drained(void)
{
    begin_with(XEN_VM_RING_POLICY_DISCARD);
    push(0, 2);
    (void)vmr_producer_flush(&rig.tx);
    takes(0, 1);
    takes(0, 2);
    push(1, 2);
    (void)vmr_producer_flush(&rig.tx);
    CHECK(!vmr_consumer_arm(&rig.rx, 0));
    takes(1, 1);
    CHECK_EQ(rig_cursor(&rig, 0)->cons, 2);
    takes(1, 2);
    CHECK_EQ(rig_cursor(&rig, 1)->cons, 0);
}

/* What was overrun is not of the batch of four: three of what is left are. */
static void lapped(void)
{
    struct vmr_request request = rig_request(1, 7, 1000);

    begin_with(XEN_VM_RING_POLICY_OVERWRITE);
    push(0, 8);
    (void)vmr_producer_flush(&rig.tx);
    takes(0, 1);
    push(0, 12);
    CHECK(vmr_producer_post(&rig.tx, &request));
    (void)vmr_producer_flush(&rig.tx);
    takes(0, 5); /* position 12 */
    CHECK_EQ(rig.rx.lanes[0].overwritten, 11);
    takes(0, 6);
    takes(0, 7);
    gives(VMR_NEXT_REQUEST);
    for (uint64_t i = 8; i <= 12; i++)
        takes(0, i);
    gives(VMR_NEXT_NONE);
    CHECK_EQ(rig.rx.lanes[0].taken, 9);
    CHECK_EQ(rig_cursor(&rig, 0)->cons, 20);
}

/* The second of a batch of four is being overwritten: three more are in it. */
static void overrun(void)
{
    struct xen_vm_ring_event event = rig_event(1, 0, 1);
    union xen_vm_ring_tail *regs;

    begin_with(XEN_VM_RING_POLICY_OVERWRITE);
    push(0, 8);
    push(1, 1);
    (void)vmr_producer_flush(&rig.tx);
    takes(0, 1);
    push(0, 1);
    CHECK(vmr_lane_reserve(&rig.tx.lanes[0], &event, &regs));
    takes(0, 3);
    CHECK_EQ(rig.rx.lanes[0].overwritten, 1);
    takes(0, 4);
    takes(0, 5);
    takes(1, 1);
    CHECK_EQ(rig_cursor(&rig, 0)->cons, 5);
    takes(0, 6);
}

static void registers(void)
{
    struct vmr_geometry geo = rig_geometry(1, 1, XEN_VM_RING_POLICY_DISCARD, 8);

    geo.record_len = 448;
    CHECK(vmr_geometry_lay_out(&geo, 8ULL * geo.nr_lanes * 448));
    rig_make(&rig, &geo);
    for (uint64_t i = 1; i <= 6; i++) {
        struct xen_vm_ring_event event = rig_event(1, 0, i);

        event.length = i == 4 ? XEN_VM_RING_EVENT_HEAD : XEN_VM_RING_EVENT_FULL;
        event.regs.words[XEN_VM_RING_REGS_LEN / 8 - 1] = i;
        CHECK(vmr_producer_push(&rig.tx, 0, &event));
    }
    (void)vmr_producer_flush(&rig.tx);
    for (uint64_t i = 1; i <= 6; i++) {
        struct xen_vm_ring_event event = {.state = 0};
        uint32_t where = 99;

        CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where),
                 VMR_NEXT_RECORD);
        CHECK_EQ(where, 0);
        CHECK_EQ(event.state, 2 * i);
        CHECK_EQ(event.u.words[3], i);
        CHECK_EQ(event.regs.words[XEN_VM_RING_REGS_LEN / 8 - 1],
                 i == 4 ? 0 : i);
        CHECK_EQ(rig_cursor(&rig, 0)->cons, i <= 4 ? 0 : 4);
    }
    gives(VMR_NEXT_NONE);
    CHECK_EQ(rig.rx.lanes[0].taken, 6);
}

static void broken_record(void)
{
    struct xen_vm_ring_event *second;

    begin();
    second = (void *)(rig.p + rig.geo.record_off + rig.geo.record_len);
    takes(0, 1);
    second->state = 3;
    gives(VMR_NEXT_BROKEN);
    gives(VMR_NEXT_BROKEN);
    CHECK_EQ(rig.rx.groups[0].rejected, 1);
}

static void broken_request(void)
{
    struct vmr_request request = rig_request(1, 7, 1000);
    struct xen_vm_ring_event event;
    uint32_t where;

    begin();
    takes(0, 1);
    CHECK(vmr_producer_post(&rig.tx, &request));
    (void)vmr_producer_flush(&rig.tx);
    rig_slot(&rig, 1)->length = 5;
    CHECK_EQ(vmr_consumer_take(&rig.rx, 0, &event, &where), VMR_NEXT_BROKEN);
    gives(VMR_NEXT_BROKEN);
}

int main(void)
{
    request();
    publish();
    taken_alone();
    drained();
    lapped();
    overrun();
    registers();
    broken_record();
    broken_request();
    return 0;
}
