/* SPDX-License-Identifier: MIT */
/*
 * Description: a request that becomes known in the middle of a lane's batch
 * comes before the batch's next record.
 */
#include "rig.h"

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 8);
    struct vmr_request request = rig_request(1, 7, 1000);
    struct xen_vm_ring_event event =
        rig_event(XEN_VM_RING_REASON_MOV_TO_MSR, 0, 1);
    uint32_t where;

    rig_make(&rig, &geo);
    for (int i = 0; i < 3; i++)
        CHECK(vmr_producer_push(&rig.tx, 0, &event));
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_RECORD);
    CHECK(vmr_producer_post(&rig.tx, &request));
    vmr_consumer_rescan(&rig.rx, 0);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_REQUEST);
    CHECK_EQ(where, 1);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where),
                 VMR_NEXT_RECORD);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_NONE);
    return 0;
}
