/* SPDX-License-Identifier: MIT */
/* listener.h: does a program here consume what Xen raises for the target? */
#ifndef BRIDGE_MONITOR_LISTENER_H
#define BRIDGE_MONITOR_LISTENER_H

#include "target.h"

/* True also where that cannot be told from a driver's. */
bool listener_is_there(struct target *target);

#endif /* BRIDGE_MONITOR_LISTENER_H */
