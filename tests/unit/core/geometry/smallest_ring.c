/* SPDX-License-Identifier: MIT */
/*
 * Description: two records a lane run, for 1, 16 and 128 vCPUs and either
 * policy; a record or a byte less is refused.
 */
#include "rig.h"

static void runs(uint32_t vcpus, uint32_t policy)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(vcpus, 1, policy, 2), less = geo;
    uint64_t len = vmr_min_async_len(geo.nr_lanes, 64);
    struct xen_vm_ring_event event;
    uint32_t where;

    CHECK_EQ(len, 2 * 64 * (vcpus + 1));
    CHECK(vmr_geometry_lay_out(&less, len));
    CHECK(!vmr_geometry_lay_out(&less, len - 64));
    CHECK(!vmr_geometry_lay_out(&less, len - 1));
    rig_make(&rig, &geo);
    for (uint64_t i = 0; i < 100; i++) {
        for (uint32_t lane = 0; lane < vcpus; lane++) {
            event = rig_event(1, lane, i);
            CHECK(vmr_producer_push(&rig.tx, lane, &event));
        }
        (void)vmr_producer_flush(&rig.tx);
        for (uint32_t lane = 0; lane < vcpus;) {
            enum vmr_next next = vmr_consumer_next(&rig.rx, 0, &event, &where);

            if (next == VMR_NEXT_AGAIN)
                continue;
            CHECK_EQ(next, VMR_NEXT_RECORD);
            CHECK_EQ(event.u.words[0], i);
            lane++;
        }
    }
    CHECK_EQ(rig_lane(&rig, 0)->lost, 0);
}

int main(void)
{
    for (uint32_t policy = 0; policy < 2; policy++) {
        runs(1, policy);
        runs(16, policy);
        runs(128, policy);
    }
    return 0;
}
