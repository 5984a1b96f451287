/* SPDX-License-Identifier: MIT */
/* find_target.h: which domain is meant, and whether it can be watched. */
#ifndef BRIDGE_MONITOR_FIND_TARGET_H
#define BRIDGE_MONITOR_FIND_TARGET_H

#include "../source.h"
#include "target.h"

/* By id or name; its handles are open.  An exit status. */
int find_target(struct target *target, const struct source_start *start);

#endif /* BRIDGE_MONITOR_FIND_TARGET_H */
