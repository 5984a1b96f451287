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
 *   -ENOENT       there is no ring, or `ring` is not the handle of its epoch;
 *                 ATTACH: it was given up for another, or for a DESTROY
 *   -EAGAIN       QUERY, `ring` 0: it has been destroyed, and a vCPU has yet to
 *                 apply a verdict of it, which it does once it runs; the legacy
 *                 ring is kept out until then
 *   -EADDRINUSE   ATTACH: the legacy monitor ring is in use
 *   -EBUSY        ATTACH: another one is being made
 *   -ENOSPC       ATTACH: the caller's domain has no event channel left
 *   -ENOMEM       ATTACH: Xen has no memory for what it keeps for each vCPU;
 *                 that there is none for P and C is a refusal
 *   -EPERM, -EACCES
 *                 of XSM, which may forbid the operation, or the ports of an
 *                 ATTACH
 * What a producer refuses a proposal for is no error: see xen_vm_ring_accept.
 *
 * A call may take several turns, and others come in between.  DETACH, DISARM
 * and DESTROY lift first what access is restricted to, of the epoch that they
 * found.  What a call ends it ends in one turn then, and as a whole; those
 * after that free pages which nobody uses, and end nothing, whatever has come
 * meanwhile.  So 0 says that what the call named is ended, and -ENOENT that it
 * has ended no epoch: another one had come before.  A DETACH after a DETACH is
 * told 0.
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
/*
 * Nothing is left of it that could be asked for, not even its counts.  With a
 * handle it is of that epoch, and an ATTACH that is being continued goes on;
 * with 0 it is of whatever there is, and that ATTACH is told -ENOENT.  What Xen
 * keeps of its own for each vCPU, some 8 KiB, stays for the next ring until the
 * domain's end, as it does after an ATTACH that is refused; it is in no count
 * of pages.
 */
#define XEN_VM_RING_OP_DESTROY 7

struct xen_vm_ring_control {
    uint32_t version; /* XEN_VM_RING_CONTROL_VERSION */
    uint32_t op;
    /* IN: the epoch's handle. ATTACH, IN: 0; OUT: the handle. */
    xen_vm_ring_u64 ring;
    xen_vm_ring_u64 arg; /* the address of what `op` takes; else 0 */
    uint32_t arg_len;
    uint32_t turn; /* IN and OUT: 0; between its turns it is Xen's own */
    uint32_t reserved[4];
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
    /*
     * Traps of verdicts that found another one which the vCPU had yet to take,
     * as of a device model: that one is taken, and these are not.
     */
    uint32_t not_injected;
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
