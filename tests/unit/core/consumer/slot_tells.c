/* SPDX-License-Identifier: MIT */
/* Description: whose a request is the slot tells, not what it says itself. */
#include "rig.h"

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(4, 2, 0, 2);
    struct vmr_request request = rig_request(3, 1, VMR_NO_DEADLINE);
    struct xen_vm_ring_event event;
    uint32_t where;

    rig_make(&rig, &geo);
    CHECK(vmr_producer_post(&rig.tx, &request));
    (void)vmr_producer_flush(&rig.tx);
    rig_slot(&rig, 3)->vcpu = 1;
    CHECK_EQ(vmr_consumer_next(&rig.rx, 1, &event, &where), VMR_NEXT_REQUEST);
    CHECK_EQ(where, 3);
    CHECK_EQ(event.vcpu, 3);
    return 0;
}
