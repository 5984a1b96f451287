/* SPDX-License-Identifier: MIT */
/*
 * Description: a P full of noise ends in a sticky fault, in bounded steps,
 * and touches nothing outside of the regions.
 */
#include "rig.h"

int main(void)
{
    unsigned int faults = 0;
    uint64_t seed = 5;

    for (int round = 0; round < 300; round++) {
        static struct rig rig;
        struct vmr_geometry geo =
            rig_geometry(1 + rig_random(&seed) % 100, 1, round & 1, 4);
        struct xen_vm_ring_event event;
        uint32_t where;
        int i;

        rig_make(&rig, &geo);
        for (uint64_t at = geo.request_off; at < geo.p_len; at++)
            rig.p[at] = (unsigned char)rig_random(&seed);
        for (i = 0; i < 10000; i++) {
            enum vmr_next next = vmr_consumer_next(&rig.rx, 0, &event, &where);

            CHECK(where < geo.nr_lanes);
            if (next == VMR_NEXT_REQUEST)
                CHECK(event.vcpu == where);
            if (next == VMR_NEXT_BROKEN || next == VMR_NEXT_NONE)
                break;
        }
        CHECK(i < 10000);
        if (rig.rx.groups[0].broken) {
            faults++;
            memset(rig.p + geo.request_off, 0, geo.p_len - geo.request_off);
            CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where),
                     VMR_NEXT_BROKEN);
        }
    }
    CHECK(faults > 250);
    return 0;
}
