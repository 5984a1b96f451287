/* SPDX-License-Identifier: MIT */
/*
 * vmring_local.h: the messages of vm_ring's local binding, between a producer
 * and a consumer on one machine.  docs/BINDING-LOCAL.md has the exchange.
 *
 * One message is one datagram of a SOCK_SEQPACKET unix socket: a header, then
 * a body by type.  All is little-endian.
 */
#ifndef VMRING_LOCAL_H
#define VMRING_LOCAL_H

#include <xen/vm_ring.h>

#define VMRING_LOCAL_MAX      32768 /* bytes of a message, with its header */
#define VMRING_LOCAL_NAME     64    /* bytes of a target's name, with its NUL */
#define VMRING_LOCAL_MAX_ROWS 512
#define VMRING_LOCAL_NO_MORE  0xffffffffU
/* Descriptors of an ACCEPT: P, C, frozen Ps, a doorbell a group. */
#define VMRING_LOCAL_MAX_FDS (2 + XEN_VM_RING_MAX_PREV + XEN_VM_RING_MAX_GROUPS)

/* From the consumer. */
#define VMRING_LOCAL_PROPOSE   1U /* struct xen_vm_ring_propose */
#define VMRING_LOCAL_SUBSCRIBE 2U /* events as text, without a NUL */
#define VMRING_LOCAL_SUPPORTED 3U /* nothing */
#define VMRING_LOCAL_COUNT     4U /* struct vmring_local_count */
#define VMRING_LOCAL_QUIESCE   5U /* nothing */
#define VMRING_LOCAL_DETACH    6U /* nothing */
#define VMRING_LOCAL_DRAINED   7U /* nothing: the frozen Ps are read */
/* From the producer. */
#define VMRING_LOCAL_ACCEPT     8U  /* struct vmring_local_accept */
#define VMRING_LOCAL_SUBSCRIBED 9U  /* struct vmring_local_subscribed */
#define VMRING_LOCAL_SUPPORT    10U /* struct vmring_local_support */
#define VMRING_LOCAL_COUNTS     11U /* struct vmring_local_counts */
#define VMRING_LOCAL_QUIET      12U /* nothing; unasked: the producer ends */

struct vmring_local_header {
    uint32_t type;
    uint32_t length; /* of the whole message */
};

struct vmring_local_accept {
    /* May be longer, by its length: what the message has between the two. */
    struct xen_vm_ring_accept body;
    char target[VMRING_LOCAL_NAME]; /* ended by NUL; the last 64 bytes */
};

/* What became of each event. */
#define VMRING_LOCAL_ARMED       0 /* if all are; else nothing against it */
#define VMRING_LOCAL_UNSUPPORTED 1
#define VMRING_LOCAL_DENIED      2
#define VMRING_LOCAL_FAILED      3

struct vmring_local_subscribed {
    uint32_t nr; /* events; 0 and a text: malformed, nothing has changed */
    uint32_t reserved;
    uint8_t results[256];
    char text[512]; /* ended by NUL; empty if all are armed */
};

struct vmring_local_support {
    xen_vm_ring_u64 kinds;
};

struct vmring_local_count {
    uint32_t from; /* 0, or what the answer before had in next */
    uint32_t reserved;
};

struct vmring_local_row {
    uint32_t vcpu; /* the foreign lane's: nr_vcpus */
    uint32_t reason;
    /* Once quiet, requests = answered + defaulted. */
    xen_vm_ring_u64 requests, answered, defaulted;
    xen_vm_ring_u64 records, discarded; /* records: the discarded too */
};

struct vmring_local_counts {
    uint32_t next; /* `from` of the next question, or VMRING_LOCAL_NO_MORE */
    uint32_t nr;
    struct vmring_local_row rows[VMRING_LOCAL_MAX_ROWS]; /* nr are sent */
};

#endif /* VMRING_LOCAL_H */
