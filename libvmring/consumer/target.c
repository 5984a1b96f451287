/* SPDX-License-Identifier: MIT */
#include "target.h"

int vmring_target_state(const struct vmring *ring, unsigned int *reason)
{
    uint64_t why;
    uint64_t state = vmr_consumer_target(&ring->core, &why);

    if (reason)
        *reason = state < XEN_VM_RING_TARGET_SHUTDOWN ? 0 : (unsigned int)why;
    return state > XEN_VM_RING_TARGET_DESTROYED ? XEN_VM_RING_TARGET_DESTROYED
                                                : (int)state;
}

struct target target_now(const struct vmring *ring)
{
    unsigned int reason;
    uint32_t state = (uint32_t)vmring_target_state(ring, &reason);

    return (struct target){state, reason};
}

bool target_is_end(struct target target)
{
    return target.state == XEN_VM_RING_TARGET_DESTROYED ||
           (target.state == XEN_VM_RING_TARGET_SHUTDOWN &&
            target.reason != XEN_VM_RING_SHUTDOWN_SUSPEND);
}

bool target_is_news(struct target target, struct target known)
{
    return target.state != known.state || target.reason != known.reason;
}
