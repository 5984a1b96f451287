/* SPDX-License-Identifier: MIT */
/*
 * Description: what interrupts a lane's batch leaves its count right: a
 * request, after which the lane goes on; a cursor that is published early; a
 * fault, after which nothing comes.
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

static void begin(void)
{
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 8);

    rig_make(&rig, &geo);
    push(0, 4);
    push(1, 4);
    (void)vmr_producer_flush(&rig.tx);
}

static void takes(uint32_t lane, uint64_t number)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_RECORD);
    CHECK_EQ(where, lane);
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
    vmr_bits_set(&rig.rx.groups[0].bell.requests, 1);
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
    gives(VMR_NEXT_NONE);
    CHECK_EQ(rig_cursor(&rig, 0)->cons, 4);
    CHECK_EQ(rig_cursor(&rig, 1)->cons, 4);
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
    broken_request();
    return 0;
}
