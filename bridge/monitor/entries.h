/* SPDX-License-Identifier: MIT */
/* entries.h: requests of a domain's legacy ring in, verdicts out. */
#ifndef BRIDGE_MONITOR_ENTRIES_H
#define BRIDGE_MONITOR_ENTRIES_H

#include "monitor.h"

/* As run, verdict and flush of source_ops. */
int entries_run(struct monitor *monitor);
void entries_verdict(struct monitor *monitor,
                     const struct vmring_verdict *verdict);
void entries_flush(struct monitor *monitor);

#endif /* BRIDGE_MONITOR_ENTRIES_H */
