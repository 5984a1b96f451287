/* SPDX-License-Identifier: MIT */
/*
 * wire.h: messages of the local transport's control channel.
 *
 * One message a datagram of a SOCK_SEQPACKET unix socket; a header, then a
 * body by type.  docs/ABI.md, "Local transport", describes the exchange.
 */
#ifndef VMRING_TRANSPORT_WIRE_H
#define VMRING_TRANSPORT_WIRE_H

#include <stdint.h>

#include <xen/vm_ring.h>

#define WIRE_MAX     32768 /* bytes of a message, header included */
#define WIRE_MAX_FDS (2 + XEN_VM_RING_MAX_PREV + XEN_VM_RING_MAX_GROUPS)
#define WIRE_NAME    64

enum wire_type {
    /* From the consumer. */
    WIRE_PROPOSE = 1, /* struct xen_vm_ring_propose */
    WIRE_SUBSCRIBE,   /* text, as vmring_specs_parse() takes it */
    WIRE_SUPPORTED,   /* nothing */
    WIRE_COUNT,       /* struct wire_count_request */
    WIRE_QUIESCE,     /* nothing */
    WIRE_DETACH,      /* nothing */
    WIRE_DRAINED,     /* nothing: the frozen Ps of the grant are read */
    /* From the producer. */
    WIRE_ACCEPT,     /* struct wire_accept; descriptors: P, C, the frozen Ps,
                       a doorbell per group */
    WIRE_SUBSCRIBED, /* struct wire_subscribed */
    WIRE_SUPPORT,    /* struct wire_support */
    WIRE_COUNTS,     /* struct wire_counts */
    WIRE_QUIET,      /* nothing */
};

struct wire_header {
    uint32_t type;
    uint32_t length; /* of the whole message */
};

struct wire_accept {
    struct xen_vm_ring_accept body;
    char target[WIRE_NAME]; /* NUL-terminated */
};

struct wire_subscribed {
    uint32_t nr; /* specs; 0 and a text: malformed, nothing has changed */
    uint32_t reserved;
    uint8_t results[256]; /* VMRING_SPEC_* */
    char text[512];       /* NUL-terminated; empty if all are armed */
};

struct wire_support {
    xen_vm_ring_u64 kinds;
};

struct wire_count_request {
    uint32_t from; /* 0, or what the answer before had in next */
    uint32_t reserved;
};

struct wire_count {
    uint32_t vcpu;
    uint32_t reason;
    xen_vm_ring_u64 requests, answered, defaulted, records, discarded;
};

#define WIRE_MAX_COUNTS 512
#define WIRE_NO_MORE    UINT32_MAX

struct wire_counts {
    uint32_t next; /* `from` of the next request, or WIRE_NO_MORE */
    uint32_t nr;
    struct wire_count rows[WIRE_MAX_COUNTS]; /* nr of them are sent */
};

#endif /* VMRING_TRANSPORT_WIRE_H */
