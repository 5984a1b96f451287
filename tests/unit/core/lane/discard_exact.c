/* SPDX-License-Identifier: MIT */
/* Description: discard newest: attempts are head + lost after every push. */
#include "rig.h"

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(1, 1, XEN_VM_RING_POLICY_DISCARD, 8);
    uint64_t attempts = 0, expected = 0, queued = 0, seed = 7;
    uint64_t lost_at[8] = {0};
    struct xen_vm_ring_event event;

    rig_make(&rig, &geo);
    for (int round = 0; round < 20000; round++) {
        /* Bursts that overflow, and pulls that do not always publish. */
        for (uint32_t n = rig_random(&seed) % 12; n; n--) {
            uint64_t lost = rig_lane(&rig, 0)->lost;
            bool published;

            event = rig_event(XEN_VM_RING_REASON_CPUID, 0, expected + queued);
            published = rig_push(&rig, 0, &event);
            attempts++;
            if (published)
                lost_at[(expected + queued++) % 8] = lost;
            CHECK(queued <= 8);
            CHECK_EQ(rig_lane(&rig, 0)->lost, lost + !published);
            CHECK_EQ(attempts, rig_lane(&rig, 0)->head + lost + !published);
        }
        for (uint32_t n = rig_random(&seed) % 10; n; n--) {
            enum vmr_pull pull = vmr_lane_pull(&rig.rx.lanes[0], &event);

            CHECK_EQ(pull, queued ? VMR_PULL_EVENT : VMR_PULL_NONE);
            if (!queued)
                break;
            CHECK_EQ(event.u.words[3], expected);
            CHECK_EQ(event.lost, (uint32_t)lost_at[expected % 8]);
            expected++;
            queued--;
        }
        /* Slots come back by the published cursor alone; model: published. */
        vmr_lane_publish_cursor(&rig.rx.lanes[0]);
    }
    while (vmr_lane_pull(&rig.rx.lanes[0], &event) == VMR_PULL_EVENT)
        expected++;
    CHECK(rig_lane(&rig, 0)->lost > 0);
    CHECK_EQ(expected, rig_lane(&rig, 0)->head);
    CHECK_EQ(attempts, rig_lane(&rig, 0)->head + rig_lane(&rig, 0)->lost);
    CHECK_EQ(rig.rx.lanes[0].overwritten, 0);
    return 0;
}
