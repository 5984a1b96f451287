/* SPDX-License-Identifier: MIT */
/*
 * Description: at any instant of a change of the target's state, who sees
 * that it has shut down sees why.
 */
#include "rig.h"

#include "instants.h"

#include "core/producer.c"

static struct rig rig;
static unsigned int seen;

static void look(void)
{
    uint64_t reason;

    if (vmr_consumer_target(&rig.rx, &reason) == XEN_VM_RING_TARGET_SHUTDOWN) {
        CHECK_EQ(reason, 3);
        seen++;
    }
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(1, 1, 0, 2);
    uint64_t reason;

    rig_make(&rig, &geo);
    CHECK_EQ(vmr_consumer_target(&rig.rx, &reason), XEN_VM_RING_TARGET_RUNNING);
    at_instant = look;
    vmr_producer_set_target(&rig.tx, XEN_VM_RING_TARGET_SHUTDOWN, 3);
    CHECK(seen);

    vmr_producer_set_state(&rig.tx, XEN_VM_RING_PRODUCER_CLOSED);
    CHECK_EQ(vmr_consumer_producer_state(&rig.rx), XEN_VM_RING_PRODUCER_CLOSED);
    return 0;
}
