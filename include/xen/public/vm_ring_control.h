/* SPDX-License-Identifier: MIT */
/*
 * vm_ring_control.h: how an agent's domain gets a ring of Xen itself.
 *
 * A domctl of a number of its own, which a Xen without it answers -ENOSYS; its
 * structure stands where others have theirs, in the 128 bytes of the union.
 * What is longer lies in the caller's memory, at `arg`.
 *
 * Errors, of every operation:
 *   -EOPNOTSUPP   `version` is none that this Xen has; it stores its own there
 *   -ENOSYS       no such operation, or no such domctl
 *   -EINVAL       a reserved field is not 0, or `arg_len` is not that of `op`
 *   -EFAULT       `arg` is not the caller's memory
 *   -EPERM        the target is the caller's own domain
 *   -ESRCH        there is no such domain, or it is dying: QUERY and COUNT are
 *                 answered as long as somebody maps the ring
 *   -ENODEV       the target is no HVM or PVH guest, or has no vCPUs yet
 *   -ENOENT       there is no ring, or `ring` is not the handle of its epoch
 *   -EADDRINUSE   ATTACH: the legacy monitor ring is in use
 *   -EBUSY        ATTACH: another one is being made
 *   -ENOSPC       ATTACH: the caller's domain has no event channel left
 * What a producer refuses a proposal for is no error: see xen_vm_ring_accept.
 */
#ifndef XEN_PUBLIC_VM_RING_CONTROL_H
#define XEN_PUBLIC_VM_RING_CONTROL_H

#include "vm_ring.h"

#define XEN_DOMCTL_vm_ring_op 0x7672 /* "vr" */

#define XEN_VM_RING_CONTROL_VERSION 1

/* Does nothing, so that a caller knows that there are the others. */
#define XEN_VM_RING_OP_PRESENT 0
/* Negotiates, and makes an epoch: struct xen_vm_ring_attach. */
#define XEN_VM_RING_OP_ATTACH 1
/* The consumer goes: what is pending has the neutral verdict. */
#define XEN_VM_RING_OP_DETACH 2
/* Sums: struct xen_vm_ring_query. */
#define XEN_VM_RING_OP_QUERY 3
/* Counts by vCPU and reason: struct xen_vm_ring_count. */
#define XEN_VM_RING_OP_COUNT 4
/* The frozen Ps are read. */
#define XEN_VM_RING_OP_DRAINED 5
/* All monitor events off, others' too.  No vCPU is paused then. */
#define XEN_VM_RING_OP_DISARM 6
/* Nothing is left of it, not even its counts.  `ring` is 0, or as in others. */
#define XEN_VM_RING_OP_DESTROY 7

struct xen_vm_ring_control {
    uint32_t version; /* XEN_VM_RING_CONTROL_VERSION */
    uint32_t op;
    /* IN: the epoch's handle. ATTACH, IN: 0; OUT: the handle. */
    xen_vm_ring_u64 ring;
    xen_vm_ring_u64 arg; /* the address of what `op` takes; else 0 */
    uint32_t arg_len;
    uint32_t reserved[5];
};

/*
 * Resources, for XENMEM_acquire_resource: P, C and the frozen Ps, the oldest
 * first, are resource, resource + 1 and resource + 2 on.  An id is no index:
 * it cannot be guessed, and only the domain that has attached may map it.
 */
#define XENMEM_resource_vm_ring 0x7672

struct xen_vm_ring_attach {
    struct xen_vm_ring_propose propose; /* IN */
    struct xen_vm_ring_accept accept;   /* OUT */
    uint32_t resource;                  /* OUT, if it is accepted */
    uint32_t reserved;
    /* OUT: a port of the caller's own domain for each group, to bind to. */
    uint32_t ports[XEN_VM_RING_MAX_GROUPS];
};

struct xen_vm_ring_query {
    /* Since the ring was made, over all epochs. */
    xen_vm_ring_u64 requests, records;
    xen_vm_ring_u64 answered;                            /* by consumers */
    xen_vm_ring_u64 by_deadline, by_detach, by_overflow; /* the neutral way */
    xen_vm_ring_u64 discarded;   /* records that found no room */
    xen_vm_ring_u64 abandoned;   /* in frozen Ps that nobody has drained */
    xen_vm_ring_u64 ignored;     /* answers that broke a rule */
    xen_vm_ring_u64 lane_faults; /* cursors that were a lie */
    xen_vm_ring_u64 waited;      /* times a vCPU waited for room: 0 */
    xen_vm_ring_u64 doorbells_sent, doorbells_heard;
    xen_vm_ring_u64 epoch;
    uint32_t pending;  /* requests without a verdict */
    uint32_t attached; /* 1: there is a consumer, 0: it has detached */
    uint32_t pages;    /* of Xen's, that the ring has now */
    uint32_t reserved;
};

/* As a row of vmring_local.h. */
struct xen_vm_ring_row {
    uint32_t vcpu;
    uint32_t reason;
    xen_vm_ring_u64 requests, answered, defaulted;
    xen_vm_ring_u64 records, discarded; /* records: the discarded too */
};

#define XEN_VM_RING_COUNT_ROWS 64
#define XEN_VM_RING_COUNT_END  0xffffffffU

struct xen_vm_ring_count {
    uint32_t from; /* IN: 0, or `next` of the call before */
    uint32_t next; /* OUT: or XEN_VM_RING_COUNT_END */
    uint32_t nr;   /* OUT: rows, those of this epoch that are not zero */
    uint32_t reserved;
    struct xen_vm_ring_row rows[XEN_VM_RING_COUNT_ROWS];
};

#endif /* XEN_PUBLIC_VM_RING_CONTROL_H */
