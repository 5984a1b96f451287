/* SPDX-License-Identifier: MIT */
/* recover.h: a domain whose bridge was killed. */
#ifndef BRIDGE_MONITOR_RECOVER_H
#define BRIDGE_MONITOR_RECOVER_H

#include "../source.h"

/* As source_ops.recover. */
int recover_domain(const char *target, bool forced);

#endif /* BRIDGE_MONITOR_RECOVER_H */
