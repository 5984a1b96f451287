/* SPDX-License-Identifier: MIT */
/*
 * Description: five requests of a vCPU wait in order, one of them visible;
 * the sixth finds no room.
 */
#include "rig.h"

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(3, 2, 0, 2);
    struct xen_vm_ring_event event;
    struct vmr_verdict verdict;
    struct vmr_request request;
    uint32_t where;

    rig_make(&rig, &geo);
    for (int round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < 5; i++) {
            request = rig_request(2, 10 + i, VMR_NO_DEADLINE);
            CHECK(vmr_producer_post(&rig.tx, &request));
        }
        request = rig_request(2, 99, VMR_NO_DEADLINE);
        CHECK(!vmr_producer_post(&rig.tx, &request));
        request = rig_request(1, 50, VMR_NO_DEADLINE);
        CHECK(vmr_producer_post(&rig.tx, &request)); /* another vCPU can */
        (void)vmr_producer_flush(&rig.tx);

        CHECK_EQ(vmr_consumer_next(&rig.rx, 1, &event, &where),
                 VMR_NEXT_REQUEST);
        CHECK_EQ(where, 1);
        (void)rig_answer(&rig, &event, 1);
        CHECK(rig_collect(&rig, &verdict));
        CHECK_EQ(verdict.request.cookie, 50);
        for (uint64_t i = 0; i < 5; i++) {
            CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where),
                     VMR_NEXT_REQUEST);
            CHECK_EQ(where, 2);
            CHECK_EQ(event.u.words[0], 10 + i);
            CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where),
                     VMR_NEXT_NONE);
            event.reason = XEN_VM_RING_REASON_CPUID;
            event.state = rig_slot(&rig, 2)->state;
            (void)rig_answer(&rig, &event, 2);
            CHECK(rig_collect(&rig, &verdict));
            CHECK_EQ(verdict.by, VMR_BY_CONSUMER);
            CHECK_EQ(verdict.request.cookie, 10 + i);
            /* The next has become visible, and needs its bit. */
            (void)vmr_producer_flush(&rig.tx);
        }
        CHECK(!rig_collect(&rig, &verdict));
    }
    return 0;
}
