/* SPDX-License-Identifier: MIT */
/* Description: overwrite oldest: what is missing is the gap, exactly. */
#include "rig.h"

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo =
        rig_geometry(1, 1, XEN_VM_RING_POLICY_OVERWRITE, 16);
    struct vmr_lane_rx *rx;
    uint64_t pushed = 0, taken = 0, missed = 0, next = 0, seed = 3;
    struct xen_vm_ring_event event;

    rig_make(&rig, &geo);
    rx = &rig.rx.lanes[0];
    /* Such a producer reads nothing of the consumer's. */
    rig_cursor(&rig, 0)->cons = UINT64_MAX;
    for (int round = 0; round < 20000; round++) {
        for (uint32_t n = rig_random(&seed) % 40; n; n--) {
            event = rig_event(2, 0, pushed++);
            CHECK(rig_push(&rig, 0, &event));
        }
        for (uint32_t n = rig_random(&seed) % 24; n; n--) {
            enum vmr_pull pull = vmr_lane_pull(rx, &event);

            if (pull == VMR_PULL_NONE) {
                CHECK_EQ(next, pushed);
                break;
            }
            CHECK_EQ(pull, VMR_PULL_EVENT);
            CHECK_EQ(event.u.words[0], event.u.words[3]);
            CHECK_EQ(event.u.words[0], rx->tail - 1);
            CHECK_EQ(rx->gap, event.u.words[0] - next);
            missed += rx->gap;
            rx->gap = 0;
            next = event.u.words[0] + 1;
            taken++;
        }
        CHECK_EQ(rx->overwritten, missed);
        CHECK_EQ(rx->taken, taken);
        CHECK_EQ(rig_lane(&rig, 0)->head, pushed);
        CHECK_EQ(rig_lane(&rig, 0)->lost, 0);
        /* delivered + lost + still there = attempted */
        CHECK_EQ(taken + missed + (pushed - rx->tail), pushed);
    }
    CHECK(missed > 1000);
    return 0;
}
