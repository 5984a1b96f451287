/* SPDX-License-Identifier: MIT */
/*
 * Description: a record's slot is given back only when the caller has come
 * for the next: who dies with a record in hand leaves it to its successor.
 */
#include "rig.h"

static void late(uint32_t slots)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(2, 1, 0, slots);
    struct xen_vm_ring_event event = rig_event(1, 0, 1);
    uint64_t taken[3] = {0};
    uint32_t where;

    rig_make(&rig, &geo);
    for (int round = 0; round < 5; round++) {
        for (uint32_t lane = 0; lane < 3; lane++)
            for (uint32_t i = 0; i < slots; i++)
                CHECK(vmr_producer_push(&rig.tx, lane, &event));
        (void)vmr_producer_flush(&rig.tx);
        while (vmr_consumer_next(&rig.rx, 0, &event, &where) ==
               VMR_NEXT_RECORD) {
            CHECK(rig_cursor(&rig, where)->cons <= taken[where]);
            taken[where]++;
        }
        for (uint32_t lane = 0; lane < 3; lane++)
            CHECK_EQ(rig_cursor(&rig, lane)->cons, (round + 1) * slots);
    }
    /* Leaving in order, it has had what it took. */
    CHECK(vmr_producer_push(&rig.tx, 0, &event));
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_RECORD);
    vmr_consumer_publish(&rig.rx, 0);
    CHECK_EQ(rig_cursor(&rig, 0)->cons, 5 * slots + 1);
}

int main(void)
{
    late(2);
    late(4);
    late(64);
    late(256);
    return 0;
}
