/* SPDX-License-Identifier: MIT */
/* response.h: from a verdict to what Xen takes as a response. */
#ifndef VMRING_VM_EVENT_RESPONSE_H
#define VMRING_VM_EVENT_RESPONSE_H

#include "convert.h"

/*
 * The neutral verdict, with which the vCPU goes on as if nobody had looked.
 * "Continue" is wrong for half of the reasons: the table is in response.c.
 */
void vm_event_neutral(const struct xen_vm_ring_event *event, uint32_t arch,
                      struct xen_vm_ring_response *verdict);

struct vm_event_answer {
    vm_event_response_t response;
    bool has_inject;
    struct xen_vm_ring_inject inject;
};

/*
 * Makes the response that Xen takes for `event`.  A verdict without flags is
 * the neutral one.  `paused`: the request had VM_EVENT_FLAG_VCPU_PAUSED; only
 * then may the response have it.  CONVERT_BAD_VERDICT: *answer is unchanged.
 *
 * With `has_inject` the caller injects `inject` before the vCPU runs: Xen takes
 * no injection by a response.
 */
enum convert_result vm_event_respond(const struct xen_vm_ring_event *event,
                                     const struct xen_vm_ring_response *verdict,
                                     uint32_t arch, bool paused,
                                     struct vm_event_answer *answer);

#endif /* VMRING_VM_EVENT_RESPONSE_H */
