/* SPDX-License-Identifier: MIT */
/*
 * Description: at any instant of a change of the target's state, who sees
 * that it has shut down sees why; also of one that was suspended and goes on.
 */
#include "rig.h"

#include "instants.h"

#include "core/producer.c"

static struct rig rig;
static unsigned int seen;
static uint64_t why = 3;

static void look(void)
{
    uint64_t reason;

    if (vmr_consumer_target(&rig.rx, &reason) == XEN_VM_RING_TARGET_SHUTDOWN) {
        CHECK_EQ(reason, why);
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

    why = XEN_VM_RING_SHUTDOWN_SUSPEND;
    at_instant = NULL;
    vmr_producer_set_target(&rig.tx, XEN_VM_RING_TARGET_SHUTDOWN, why);
    at_instant = look;
    vmr_producer_set_target(&rig.tx, XEN_VM_RING_TARGET_RUNNING, 0);

    vmr_producer_set_state(&rig.tx, XEN_VM_RING_PRODUCER_CLOSED);
    CHECK_EQ(vmr_consumer_producer_state(&rig.rx), XEN_VM_RING_PRODUCER_CLOSED);
    return 0;
}
