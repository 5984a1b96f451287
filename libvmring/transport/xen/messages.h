/* SPDX-License-Identifier: MIT */
/*
 * messages.h: between a consumer and the process that calls Xen for it.  They
 * are those of vmring_local.h over a pair of SOCK_SEQPACKET, but for ACCEPT and
 * one more.
 */
#ifndef VMRING_TRANSPORT_XEN_MESSAGES_H
#define VMRING_TRANSPORT_XEN_MESSAGES_H

#include <vmring_local.h>

#include <xen/vm_ring_control.h>

/*
 * From the consumer, nothing: what came of its proposal, if anything did, it
 * does not use.  A ring that was made for it goes; one that it has taken over
 * stays for who comes next, as DETACH would not leave it.
 */
#define XEN_KEEPER_ABANDON 0x100U

struct xen_accept {
    struct vmring_local_accept wire;
    int32_t error; /* -errno: Xen has not answered the proposal */
    char text[256];
    uint32_t resource;
    uint32_t ports[XEN_VM_RING_MAX_GROUPS];
};

/* A message as it is sent: the header, and a body. */
struct xen_message {
    struct vmring_local_header header;
    union {
        struct xen_vm_ring_propose propose;
        struct xen_accept accept;
        struct vmring_local_subscribed subscribed;
        struct vmring_local_support support;
        struct vmring_local_count count;
        struct vmring_local_counts counts;
        char text[VMRING_LOCAL_MAX];
    } body;
};

#endif /* VMRING_TRANSPORT_XEN_MESSAGES_H */
