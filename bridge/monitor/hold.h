/* SPDX-License-Identifier: MIT */
/* hold.h: paused by us; the next bridge unpauses it if we die. */
#ifndef BRIDGE_MONITOR_HOLD_H
#define BRIDGE_MONITOR_HOLD_H

#include "lock.h"
#include "target.h"

/* 0 or -errno. */
int hold_domain(struct target *target, struct lock *lock);
void hold_release(struct target *target, struct lock *lock);
/* Unpauses what a bridge that was killed has held. */
void hold_let_run(struct target *target, struct lock *lock);
/* Says what Xen's `error` means, and what is to be done, if anything. */
void hold_cannot_unpause(const struct target *target, int error);

#endif /* BRIDGE_MONITOR_HOLD_H */
