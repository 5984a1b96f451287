/* SPDX-License-Identifier: MIT */
/* Description: a request of an impossible length is a fault, not a read. */
#include "rig.h"

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(1, 1, 0, 2);
    static const uint16_t lengths[] = {0, 1, 63, 65, 407, 409, 512, 65535};
    struct xen_vm_ring_event event;

    rig_make(&rig, &geo);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        rig_slot(&rig, 0)->length = lengths[i];
        rig_slot(&rig, 0)->state = 2 * i + 1;
        CHECK_EQ(vmr_slot_take(&rig.rx.slots[0], &event), VMR_TAKE_BROKEN);
        CHECK_EQ(vmr_slot_take(&rig.rx.slots[0], &event), VMR_TAKE_NONE);
    }
    return 0;
}
