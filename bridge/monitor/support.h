/* SPDX-License-Identifier: MIT */
/* support.h: which events are known to fire here, which verdicts work. */
#ifndef BRIDGE_MONITOR_SUPPORT_H
#define BRIDGE_MONITOR_SUPPORT_H

#include "../../libvmring/vmring.h"
#include "target.h"

/* XEN_DOMCTL_MONITOR_EVENT_IO of domctl.h, which has it since Xen 4.18. */
#define MONITOR_EVENT_IO 13

/* A bit for each of vmring_get_kind(). */
uint64_t support_kinds(const struct target *target);
uint32_t support_verdicts(const struct target *target);
bool support_fires(const struct target *target, unsigned int reason);

/* Is it a range of MSRs or frames? */
bool support_is_range(const struct vmring_spec *spec);

#endif /* BRIDGE_MONITOR_SUPPORT_H */
