/* SPDX-License-Identifier: MIT */
/*
 * legacy.h: between the records of vm_event.h and those of vm_ring.h.
 *
 * Pure functions without a C library, so that one file serves the bridge and
 * the hypervisor.  The rules come from Xen 4.17 to 4.20: xen/common/vm_event.c,
 * xen/arch/x86/vm_event.c, xen/arch/x86/hvm/monitor.c.
 */
#ifndef BRIDGE_LEGACY_H
#define BRIDGE_LEGACY_H

#ifndef __XEN__
#ifndef __XEN_TOOLS__
#define __XEN_TOOLS__ 1
#endif
#include <stdint.h> /* which vm_event.h does without */

#include <xen/vm_event.h>
#include <xen/vm_ring.h>
#else
#include <public/vm_event.h>
#include <public/vm_ring.h>
#endif

#define LEGACY_OK          0
#define LEGACY_BAD_VERSION 1 /* of the interface: the layout is not known */
#define LEGACY_BAD_VCPU    2 /* beyond nr_vcpus */
#define LEGACY_BAD_REASON  3 /* unknown to this version of the interface */
#define LEGACY_BAD_VERDICT 4 /* flags that exclude each other */

/*
 * Packs a request into an event, registers included.  `arch` is
 * XEN_VM_RING_ARCH_*.  Reads `request` as private memory: copy it out of the
 * ring first.  On failure *event is unchanged.
 */
int legacy_to_event(const vm_event_request_t *request, uint32_t arch,
                    uint32_t nr_vcpus, struct xen_vm_ring_event *event);

/* The reverse: for responses, which repeat the request, and for tests. */
void legacy_from_event(const struct xen_vm_ring_event *event, uint32_t arch,
                       vm_event_request_t *request);

/*
 * The neutral verdict, with which the vCPU goes on as if nobody had looked.
 * "Continue" is wrong for half of the reasons: the table is in legacy.c.
 */
void legacy_neutral(const struct xen_vm_ring_event *event, uint32_t arch,
                    struct xen_vm_ring_response *verdict);

/*
 * Makes the response that Xen takes for `event`.  A verdict without flags is
 * the neutral one.  `paused`: the request had VM_EVENT_FLAG_VCPU_PAUSED; only
 * then may the response have it.
 *
 * With XEN_VM_RING_FLAG_INJECT the caller injects `inject` first: Xen takes no
 * injection by a response.
 */
struct legacy_answer {
    vm_event_response_t response;
    int has_inject;
    struct xen_vm_ring_inject inject;
};
int legacy_answer(const struct xen_vm_ring_event *event,
                  const struct xen_vm_ring_response *verdict, uint32_t arch,
                  int paused, struct legacy_answer *answer);

#endif /* BRIDGE_LEGACY_H */
