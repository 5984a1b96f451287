/* SPDX-License-Identifier: MIT */
/* calls.h: hypercalls of the process that keeps a ring of Xen's. */
#ifndef VMRING_TRANSPORT_XEN_CALLS_H
#define VMRING_TRANSPORT_XEN_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/vm_ring_control.h>

struct xencall_handle;

struct calls {
    struct xencall_handle *xcall;
    uint32_t domid;
    uint64_t ring; /* the handle of the epoch; 0: not attached */
};

/* -errno: no privcmd here. */
int xen_begin_calls(struct calls *calls, uint32_t domid);
void xen_end_calls(struct calls *calls);

/*
 * One XEN_VM_RING_OP_*, with what it takes at `arg`, which is copied to where
 * Xen can reach it, and back.  0 or -errno.
 */
int xen_ring(struct calls *calls, uint32_t op, void *arg, size_t len);

/* One event of the monitor, of struct xen_domctl_monitor_op. */
struct monitor_event {
    uint32_t event; /* XEN_DOMCTL_MONITOR_EVENT_* */
    bool sync, onchange, user;
    uint32_t index; /* of a control register, or an MSR */
};

int xen_arm(struct calls *calls, const struct monitor_event *event);
/* XEN_DOMCTL_MONITOR_OP_CONTROL_REGISTERS: writes wait for their verdict. */
int xen_defer_writes(struct calls *calls);
/* Page walks of the guest raise no event, from now on. */
int xen_suppress_walks(struct calls *calls);
/* What the guest may do to these frames: XENMEM_access_*. */
int xen_restrict(struct calls *calls, uint64_t first, uint32_t nr,
                 unsigned int access);
/* Can this Xen restrict access to that domain's memory? */
bool xen_can_restrict(struct calls *calls);
/* The last frame that the domain has. */
int xen_last_frame(struct calls *calls, uint64_t *last);
/* A bit for each XEN_DOMCTL_MONITOR_EVENT_*. */
int xen_capabilities(struct calls *calls, uint32_t *mask);

#endif /* VMRING_TRANSPORT_XEN_CALLS_H */
