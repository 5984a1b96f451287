/* SPDX-License-Identifier: MIT */
/* end.h: leaving the domain unharmed. */
#ifndef BRIDGE_MONITOR_END_H
#define BRIDGE_MONITOR_END_H

#include "monitor.h"

/* On the way to where nothing of ours is in the domain, a step. */
void end_settle(struct monitor *monitor);
/* As source_ops.end: true when the target runs on without us. */
bool end_leave(struct monitor *monitor, bool forced);

#endif /* BRIDGE_MONITOR_END_H */
