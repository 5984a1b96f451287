/* SPDX-License-Identifier: MIT */
/*
 * Description: a lane that is overrun at every look, amid its batch, keeps
 * neither a request nor another lane's record waiting.
 */
#include "rig.h"

#include "instants.h"

/* Both have a function of that name. */
#define broken(group) broken_group(group)
#include "core/consumer.c"
#undef broken
#include "core/lane_pull.c"

static struct rig rig;

static void lap(void)
{
    struct xen_vm_ring_event event = rig_event(1, 0, 1);

    for (uint64_t i = 0; i <= rig.geo.nr_records; i++)
        (void)vmr_lane_push(&rig.tx.lanes[0], &event);
    vmr_lane_show(&rig.tx.lanes[0]);
}

/* The next event, after calls that each found the lane overrun. */
static enum vmr_next next(uint32_t *where)
{
    struct xen_vm_ring_event event;
    enum vmr_next next = VMR_NEXT_AGAIN;

    at_instant = lap;
    for (int calls = 0; calls < 3 && next == VMR_NEXT_AGAIN; calls++)
        next = vmr_consumer_next(&rig.rx, 0, &event, where);
    at_instant = NULL;
    return next;
}

int main(void)
{
    struct vmr_geometry geo =
        rig_geometry(2, 1, XEN_VM_RING_POLICY_OVERWRITE, 8);
    struct vmr_request request = rig_request(1, 7, VMR_NO_DEADLINE);
    struct xen_vm_ring_event event = rig_event(1, 0, 1);
    uint32_t where;

    rig_make(&rig, &geo);
    for (int i = 0; i < 8; i++)
        CHECK(vmr_producer_push(&rig.tx, 0, &event));
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_RECORD);
    CHECK(vmr_producer_post(&rig.tx, &request));
    CHECK(vmr_producer_push(&rig.tx, 1, &event));
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(next(&where), VMR_NEXT_REQUEST);
    CHECK_EQ(where, 1);
    CHECK_EQ(next(&where), VMR_NEXT_RECORD);
    CHECK_EQ(where, 1);
    /* Nor does one that is overrun as it is come to. */
    at_instant = lap;
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_AGAIN);
    at_instant = NULL;
    CHECK(vmr_producer_push(&rig.tx, 1, &event));
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(next(&where), VMR_NEXT_RECORD);
    CHECK_EQ(where, 1);
    return 0;
}
