/* SPDX-License-Identifier: MIT */
/* requests.h: requests of a domain's legacy ring in, verdicts out. */
#ifndef BRIDGE_MONITOR_REQUESTS_H
#define BRIDGE_MONITOR_REQUESTS_H

#include "monitor.h"

/* As run, verdict and flush of source_ops. */
int requests_run(struct monitor *monitor);
void requests_verdict(struct monitor *monitor,
                      const struct vmring_verdict *verdict);
void requests_flush(struct monitor *monitor);

#endif /* BRIDGE_MONITOR_REQUESTS_H */
