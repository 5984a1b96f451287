/* SPDX-License-Identifier: MIT */
/* domctl.h: domctls by hand, and whether this Xen knows them. */
#ifndef BRIDGE_MONITOR_DOMCTL_H
#define BRIDGE_MONITOR_DOMCTL_H

#include "handles.h"

/* Makes one of this domain: 0 or -errno. */
int domctl_call(struct handles *xen, uint32_t domid, struct xen_domctl *domctl);

/* Is this a Xen that it works with?  An exit status. */
int domctl_check_xen(struct handles *xen);

#endif /* BRIDGE_MONITOR_DOMCTL_H */
