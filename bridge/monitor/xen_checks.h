/* SPDX-License-Identifier: MIT */
/* xen_checks.h: what this Xen, on this CPU, bears of a domain's monitor. */
#ifndef BRIDGE_MONITOR_XEN_CHECKS_H
#define BRIDGE_MONITOR_XEN_CHECKS_H

#include <stddef.h>

#include "../../libvmring/vmring.h"
#include "target.h"

/*
 * Why specs[i] cannot be armed, the ones before it being armed; NULL: it can.
 * *result gets VMRING_SPEC_*; `text` may become what is returned.
 */
const char *xen_check_spec(struct target *target,
                           const struct vmring_spec *specs, unsigned int i,
                           int *result, char *text, size_t text_len);

/* Can it be watched?  Else it is left out of a range. */
bool xen_check_msr(uint64_t msr);
/* Is it a range of MSRs some of which are left out? */
bool xen_check_leaves_out(const struct vmring_spec *spec);

/* Can Xen carry it out, and survive it?  `defers`: of register writes. */
bool xen_check_verdict(const struct xen_vm_ring_event *event,
                       const struct xen_vm_ring_response *verdict, bool defers);
bool xen_check_trap(const struct xen_vm_ring_inject *trap);
/* Would Xen drop what is injected into the vCPU of this event? */
bool xen_check_event_pending(struct target *target,
                             const struct xen_vm_ring_event *event);

#endif /* BRIDGE_MONITOR_XEN_CHECKS_H */
