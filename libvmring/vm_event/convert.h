/* SPDX-License-Identifier: MIT */
/*
 * convert.h: between the records of Xen's vm_event.h and those of vm_ring.h.
 *
 * Pure functions without a C library, so that the same files serve the bridge
 * and a producer inside the hypervisor.  The rules come from Xen 4.17 to 4.20:
 * xen/common/vm_event.c, xen/arch/x86/vm_event.c, xen/arch/x86/hvm/monitor.c.
 */
#ifndef VMRING_VM_EVENT_CONVERT_H
#define VMRING_VM_EVENT_CONVERT_H

#ifndef __XEN__
#ifndef __XEN_TOOLS__
#define __XEN_TOOLS__ 1
#endif
#include <stdbool.h>
#include <stdint.h> /* which vm_event.h does without */

#include <xen/vm_event.h>
#include <xen/vm_ring.h>
#else
#include <xen/types.h>

#include <public/vm_event.h>
#include <public/vm_ring.h>
#endif

/* Flags with the same numbers in both headers. */
#define VM_EVENT_SAME_FLAGS 0xffffu

/* Not errno, which a freestanding file has no header for. */
enum convert_result {
    CONVERT_OK,
    CONVERT_BAD_VERSION, /* of the interface: the layout is not known */
    CONVERT_BAD_VCPU,    /* beyond nr_vcpus */
    CONVERT_BAD_REASON,  /* unknown to this version of the interface */
    CONVERT_BAD_VERDICT, /* flags that exclude each other, or too much data */
};

/*
 * Packs a request into an event, registers included.  `arch` is
 * XEN_VM_RING_ARCH_*.  Reads `request` as private memory: copy it out of the
 * ring first.  On failure *event is unchanged.
 */
enum convert_result vm_event_to_ring(const vm_event_request_t *request,
                                     uint32_t arch, uint32_t nr_vcpus,
                                     struct xen_vm_ring_event *event);

/*
 * Both halves of it.  The head is all but event->regs, with the length of an
 * event that has registers.  Of *to every word is written, once and never read,
 * by vmr_store_relaxed(): it may be in P, see vmr_lane_reserve().
 */
enum convert_result vm_event_head_to_ring(const vm_event_request_t *request,
                                          uint32_t nr_vcpus,
                                          struct xen_vm_ring_event *event);
void vm_event_regs_to_ring(const vm_event_request_t *from, uint32_t arch,
                           union xen_vm_ring_tail *to);

/* The reverse: for responses, which repeat the request, and for tests. */
void vm_event_from_ring(const struct xen_vm_ring_event *event, uint32_t arch,
                        vm_event_request_t *request);

/* Parts of the reverse: what happened, by reason, and the registers. */
void vm_event_data_from_ring(const struct xen_vm_ring_event *event,
                             vm_event_request_t *to);
void vm_event_regs_from_ring(const union xen_vm_ring_tail *from, uint32_t arch,
                             vm_event_request_t *to);

#endif /* VMRING_VM_EVENT_CONVERT_H */
