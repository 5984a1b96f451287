/* SPDX-License-Identifier: MIT */
/* bears.h: what this Xen, on this CPU, bears of a domain's monitor. */
#ifndef BRIDGE_MONITOR_BEARS_H
#define BRIDGE_MONITOR_BEARS_H

#include <stddef.h>

#include "../../libvmring/vmring.h"
#include "lock.h"
#include "target.h"

/*
 * Why specs[i] cannot be armed, the ones before it being armed; NULL: it can.
 * *result gets VMRING_SPEC_*; `text` may become what is returned.
 */
const char *bears_refuse(struct target *target, const struct vmring_spec *specs,
                         unsigned int i, int *result, char *text,
                         size_t text_len);

/* Can it be watched?  Else it is left out of a range. */
bool bears_msr(uint64_t msr);
/* Is it a range of MSRs some of which are left out? */
bool bears_part_of(const struct vmring_spec *spec);
/*
 * As xc_monitor_mov_to_msr(), and the guest reads what it read before.  0 or
 * -errno.
 */
int bears_set_msr(struct target *target, struct lock *lock, uint32_t msr,
                  bool on, bool onchange);

/* Can Xen carry it out, and survive it?  `defers`: of register writes. */
bool bears_verdict(const struct xen_vm_ring_event *event,
                   const struct xen_vm_ring_response *verdict, bool defers);
bool bears_trap(const struct xen_vm_ring_inject *trap);
/* Would Xen drop what is injected into the vCPU of this event? */
bool bears_event_pending(struct target *target,
                         const struct xen_vm_ring_event *event);

#endif /* BRIDGE_MONITOR_BEARS_H */
