/* SPDX-License-Identifier: MIT */
/* arm.h: which events the domain raises. */
#ifndef BRIDGE_MONITOR_ARM_H
#define BRIDGE_MONITOR_ARM_H

#include "arming.h"

/* NULL: there is no memory, which was said. */
struct arming *arm_open(struct ring *ring);

/* As subscribe and attached of vmring_producer_ops. */
void arm_subscribe(struct arming *arming, const struct vmring_spec *specs,
                   unsigned int nr, int *results, char *error,
                   size_t error_len);
void arm_attached(struct arming *arming, bool attached, uint32_t verdicts);

/*
 * Goes on with what arm_subscribe() began.  Returns the ms until it is to be
 * called again, or SOURCE_WAIT: there is nothing to do.
 */
int arm_turn(struct arming *arming);

/* Is it of a subscription that is not in force yet? */
bool arm_withholds(const struct arming *arming,
                   const struct xen_vm_ring_event *event);
bool arm_delivers_async(const struct arming *arming,
                        const struct xen_vm_ring_event *event);

#endif /* BRIDGE_MONITOR_ARM_H */
