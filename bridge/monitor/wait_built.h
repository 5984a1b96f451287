/* SPDX-License-Identifier: MIT */
/* wait_built.h: waiting for a domain that the toolstack still builds. */
#ifndef BRIDGE_MONITOR_WAIT_BUILT_H
#define BRIDGE_MONITOR_WAIT_BUILT_H

#include "target.h"

/* Updates *info.  An exit status, or SOURCE_INTERRUPTED. */
int wait_built(struct target *target, unsigned int wait_s,
               struct domain_info *info);

#endif /* BRIDGE_MONITOR_WAIT_BUILT_H */
