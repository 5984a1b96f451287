/* SPDX-License-Identifier: MIT */
/* pause.h: paused by us; the next bridge unpauses it if we die. */
#ifndef BRIDGE_MONITOR_PAUSE_H
#define BRIDGE_MONITOR_PAUSE_H

#include "lock.h"
#include "target.h"

/* 0 or -errno. */
int pause_domain(struct target *target, struct lock *lock);
void pause_release(struct target *target, struct lock *lock);
/* Unpauses what a bridge that was killed has held. */
void pause_let_run(struct target *target, struct lock *lock);
/* Says what Xen's `error` means, and what is to be done, if anything. */
void pause_cannot_unpause(const struct target *target, int error);

#endif /* BRIDGE_MONITOR_PAUSE_H */
