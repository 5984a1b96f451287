/* SPDX-License-Identifier: MIT */
/* other_consumer.h: does a program here consume what Xen raises for the target?
 */
#ifndef BRIDGE_MONITOR_OTHER_CONSUMER_H
#define BRIDGE_MONITOR_OTHER_CONSUMER_H

#include "target.h"

/* True also where that cannot be told from a driver's. */
bool has_other_consumer(struct target *target);

#endif /* BRIDGE_MONITOR_OTHER_CONSUMER_H */
