/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer that goes on taking gives slots back by half a lane
 * at the latest, or by 32 records: the producer need not wait for the rest.
 */
#include "rig.h"

static void take_all(uint32_t slots, uint32_t batch)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(1, 1, 0, slots);
    struct xen_vm_ring_event event = rig_event(1, 0, 1);
    uint32_t where;

    rig_make(&rig, &geo);
    for (uint32_t i = 0; i < slots; i++)
        CHECK(vmr_producer_push(&rig.tx, 0, &event));
    (void)vmr_producer_flush(&rig.tx);
    for (uint64_t taken = 1; taken <= slots; taken++) {
        CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where),
                 VMR_NEXT_RECORD);
        CHECK_EQ(where, 0);
        CHECK_EQ(rig_cursor(&rig, 0)->cons, (taken - 1) / batch * batch);
    }
}

int main(void)
{
    take_all(2, 1);
    take_all(4, 2);
    take_all(32, 16);
    take_all(64, 32);
    take_all(256, 32);
    return 0;
}
