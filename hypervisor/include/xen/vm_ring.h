/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xen/vm_ring.h: what the rest of Xen calls of the vm_ring producer.
 *
 * Without CONFIG_VM_RING each of these is nothing, or a constant, and the
 * objects of the files that call them are what they were.
 */
#ifndef XEN_VM_RING_H
#define XEN_VM_RING_H

#include <xen/errno.h>
#include <xen/types.h>

#include <public/domctl.h>
#include <public/vm_event.h>
#include <public/vm_ring_control.h>

struct domain;
struct vcpu;

#ifdef CONFIG_VM_RING

/* There is one, or is left of one; without it the legacy ring may be enabled. */
bool vm_ring_exists(const struct domain *d);

/* It has a consumer, dead or alive: events go there. */
bool vm_ring_active(const struct domain *d);

/* monitor_traps() for a domain with a consumer. */
int vm_ring_event(struct vcpu *v, bool sync, vm_event_request_t *req);

/*
 * On the vCPU's way back into the guest: applies its verdicts.  false: some are
 * still to come, it sleeps from its next softirq on.
 */
bool vm_ring_resume(struct vcpu *v);

/* The vCPU has a request: what that has put off is not to be done yet. */
bool vm_ring_waits(const struct vcpu *v);

long vm_ring_domctl(struct domain *d, struct xen_domctl *domctl,
                    XEN_GUEST_HANDLE_PARAM(xen_domctl_t) u_domctl);

unsigned int vm_ring_resource_frames(const struct domain *d, unsigned int id);
/* With a reference to each, which vm_ring_acquired() lets go of. */
int vm_ring_acquire(struct domain *d, unsigned int id, unsigned int frame,
                    unsigned int nr_frames, xen_pfn_t mfn_list[]);
/* They are mapped, or are not going to be. */
void vm_ring_acquired(const xen_pfn_t mfn_list[], unsigned int nr);

/*
 * What the consumer is told of the target has changed: it is paused by the
 * toolstack, shut down, or neither.  No lock is held but shutdown_lock.
 */
void vm_ring_life(struct domain *d);

/* Access to frames is about to be restricted: the ring lifts it some time. */
void vm_ring_restrict(struct domain *d, uint64_t first, uint64_t nr);

/* domain_kill(), every vCPU paused for good.  -ERESTART: call again. */
int vm_ring_teardown(struct domain *d);
/* No reference to the domain is left. */
void vm_ring_free(struct domain *d);

#else /* !CONFIG_VM_RING */

static inline bool vm_ring_exists(const struct domain *d)
{
    return false;
}

static inline bool vm_ring_active(const struct domain *d)
{
    return false;
}

static inline int vm_ring_event(struct vcpu *v, bool sync,
                                vm_event_request_t *req)
{
    return 0;
}

static inline bool vm_ring_resume(struct vcpu *v)
{
    return true;
}

static inline bool vm_ring_waits(const struct vcpu *v)
{
    return false;
}

static inline void vm_ring_life(struct domain *d)
{
}

static inline void vm_ring_restrict(struct domain *d, uint64_t first,
                                    uint64_t nr)
{
}

static inline int vm_ring_teardown(struct domain *d)
{
    return 0;
}

static inline void vm_ring_free(struct domain *d)
{
}

#endif /* CONFIG_VM_RING */

#endif /* XEN_VM_RING_H */
