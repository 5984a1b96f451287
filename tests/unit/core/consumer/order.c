/* SPDX-License-Identifier: MIT */
/*
 * Description: requests come before records, lanes take turns, and a busy
 * lane keeps nobody waiting for more than a batch.
 */
#include "rig.h"

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(3, 1, 0, 256);
    struct xen_vm_ring_event event = rig_event(1, 0, 1);
    struct vmr_request request = rig_request(2, 1, VMR_NO_DEADLINE);
    unsigned int runs = 0, since = 0, seen[4] = {0};
    uint32_t where, last = 99;

    rig_make(&rig, &geo);
    for (uint32_t lane = 0; lane < 3; lane++)
        for (int i = 0; i < 200; i++)
            CHECK(vmr_producer_push(&rig.tx, lane, &event));
    CHECK(vmr_producer_post(&rig.tx, &request));
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_REQUEST);
    CHECK_EQ(where, 2);

    for (int i = 0; i < 600; i++) {
        CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where),
                 VMR_NEXT_RECORD);
        seen[where]++;
        if (where != last)
            runs++;
        last = where;
        CHECK(seen[where] <= 32 || (seen[0] && seen[1] && seen[2]));
    }
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_NONE);
    CHECK(runs >= 600 / 32);

    /* One that comes while records are drained. */
    for (int i = 0; i < 200; i++)
        CHECK(vmr_producer_push(&rig.tx, 0, &event));
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_RECORD);
    request = rig_request(1, 2, VMR_NO_DEADLINE);
    CHECK(vmr_producer_post(&rig.tx, &request));
    (void)vmr_producer_flush(&rig.tx);
    while (vmr_consumer_next(&rig.rx, 0, &event, &where) == VMR_NEXT_RECORD)
        since++;
    CHECK_EQ(where, 1);
    CHECK(since <= 32);
    return 0;
}
