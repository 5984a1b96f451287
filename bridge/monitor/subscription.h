/* SPDX-License-Identifier: MIT */
/* subscription.h: which events the domain raises. */
#ifndef BRIDGE_MONITOR_SUBSCRIPTION_H
#define BRIDGE_MONITOR_SUBSCRIPTION_H

#include "arming.h"

/* NULL: there is no memory, which was said. */
struct arming *subscription_open(struct ring *ring);

/* As subscribe and attached of vmring_producer_ops. */
void subscription_begin(struct arming *arming, const struct vmring_spec *specs,
                        unsigned int nr, int *results, char *error,
                        size_t error_len);
void subscription_attached(struct arming *arming, bool attached,
                           uint32_t verdicts);

/*
 * Goes on with what subscription_begin() began.  Returns the ms until it is to
 * be called again, or SOURCE_WAIT: there is nothing to do.
 */
int subscription_turn(struct arming *arming);

/* Is it of a subscription that is not in force yet? */
bool subscription_withholds(const struct arming *arming,
                            const struct xen_vm_ring_event *event);
bool subscription_delivers_async(const struct arming *arming,
                                 const struct xen_vm_ring_event *event);

#endif /* BRIDGE_MONITOR_SUBSCRIPTION_H */
