/* SPDX-License-Identifier: MIT */
/* open.h: the parts of a monitor, opened and closed in order. */
#ifndef BRIDGE_MONITOR_OPEN_H
#define BRIDGE_MONITOR_OPEN_H

#include "monitor.h"

/*
 * Opens Xen's interfaces, finds and locks the domain; there is no ring yet.
 * An exit status, or what source_ops.open may return; 0: monitor_close() it.
 */
int monitor_open(struct source_start *start, struct monitor **monitor);
/* Returns an exit status. */
int monitor_close(struct monitor *monitor);

#endif /* BRIDGE_MONITOR_OPEN_H */
