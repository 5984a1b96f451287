/* SPDX-License-Identifier: MIT */
/* Description: a request is there while its seq is odd, and is taken once. */
#include "rig.h"

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 2);
    struct xen_vm_ring_event event;
    struct vmr_request request;

    rig_make(&rig, &geo);
    CHECK_EQ(rig_slot(&rig, 1)->state, 0);
    CHECK_EQ(vmr_slot_take(&rig.rx.slots[1], &event), VMR_TAKE_NONE);
    for (uint64_t i = 1; i < 100; i++) {
        request = rig_request(1, i, VMR_NO_DEADLINE);
        CHECK(vmr_slot_add(&rig.tx.slots[1], &request));
        CHECK_EQ(rig_slot(&rig, 1)->state, 2 * i - 2);
        CHECK(vmr_slot_post(&rig.tx.slots[1]));
        CHECK(!vmr_slot_post(&rig.tx.slots[1])); /* one is visible already */
        CHECK_EQ(rig_slot(&rig, 1)->state, 2 * i - 1);
        if (i % 3) {
            CHECK_EQ(vmr_slot_take(&rig.rx.slots[1], &event), VMR_TAKE_EVENT);
            CHECK_EQ(event.state, 2 * i - 1);
            CHECK_EQ(event.u.words[2], i);
            CHECK_EQ(vmr_slot_take(&rig.rx.slots[1], &event), VMR_TAKE_NONE);
            CHECK(vmr_slot_is_posted(&rig.rx.slots[1], event.state));
        }
        vmr_slot_retire(&rig.tx.slots[1]);
        CHECK_EQ(rig_slot(&rig, 1)->state, 2 * i);
        CHECK(!vmr_slot_is_posted(&rig.rx.slots[1], 2 * i - 1));
        CHECK_EQ(vmr_slot_take(&rig.rx.slots[1], &event), VMR_TAKE_NONE);
    }
    CHECK_EQ(rig_slot(&rig, 0)->state, 0);
    return 0;
}
