/* SPDX-License-Identifier: MIT */
/* native_ring.h: the ring that a Xen with CONFIG_VM_RING produces itself. */
#ifndef BRIDGE_MONITOR_NATIVE_RING_H
#define BRIDGE_MONITOR_NATIVE_RING_H

#include "target.h"

/*
 * Has the target one, or what is left of one?  It keeps the legacy ring out,
 * and outlives an agent that was killed.  If so, a line says what to do.
 */
bool has_native_ring(struct target *target);

/*
 * One that has ended keeps the legacy ring out until each vCPU has applied the
 * verdict that it was given, which it does as soon as it runs.  Waits for that,
 * for a second at most.  true: it was so, and is no longer.
 */
bool native_ring_is_over(struct target *target);

#endif /* BRIDGE_MONITOR_NATIVE_RING_H */
