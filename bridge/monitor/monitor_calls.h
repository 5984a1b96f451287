/* SPDX-License-Identifier: MIT */
/* monitor_calls.h: the calls by which a domain raises an event. */
#ifndef BRIDGE_MONITOR_MONITOR_CALLS_H
#define BRIDGE_MONITOR_MONITOR_CALLS_H

#include "../../libvmring/vmring.h"
#include "lock.h"
#include "target.h"

bool calls_is_async(const struct vmring_spec *spec);

/* Each a call to Xen, or a few.  0 or -errno. */

/* `defers`: calls_defer_writes() was made. */
int calls_set_event(struct target *target, const struct vmring_spec *spec,
                    bool on, bool defers);
int calls_set_frames(struct target *target, uint64_t first, uint64_t last,
                     unsigned int watched);
/* The guest reads of it what it read before. */
int calls_set_msr(struct target *target, struct lock *lock, uint32_t msr,
                  bool on, bool onchange);
/* From now on register writes can be denied. */
int calls_defer_writes(struct target *target);

#endif /* BRIDGE_MONITOR_MONITOR_CALLS_H */
