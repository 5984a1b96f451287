/* SPDX-License-Identifier: MIT */
/* Description: answers ring the producer once for each of its armings. */
#include "rig.h"

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(3, 1, 0, 2);
    struct xen_vm_ring_event event[3];
    struct vmr_verdict verdict;
    struct vmr_request request;
    uint32_t where;

    rig_make(&rig, &geo);
    for (int round = 0; round < 5; round++) {
        for (uint32_t v = 0; v < 3; v++) {
            request = rig_request(v, v, VMR_NO_DEADLINE);
            CHECK(vmr_producer_post(&rig.tx, &request));
        }
        (void)vmr_producer_flush(&rig.tx);
        for (uint32_t v = 0; v < 3; v++) {
            CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event[v], &where),
                     VMR_NEXT_REQUEST);
            CHECK_EQ(where, v);
        }
        CHECK(!rig_answer(&rig, &event[0], 0)); /* not armed */
        CHECK(!vmr_producer_arm(&rig.tx));      /* answers are there */
        CHECK(rig_collect(&rig, &verdict));
        CHECK(!rig_collect(&rig, &verdict));
        CHECK(vmr_producer_arm(&rig.tx));
        CHECK(rig_answer(&rig, &event[1], 1));
        CHECK(!rig_answer(&rig, &event[2], 2)); /* rung for that arming */
        CHECK(rig_collect(&rig, &verdict));
        CHECK(rig_collect(&rig, &verdict));
        CHECK(!rig_collect(&rig, &verdict));
    }
    return 0;
}
