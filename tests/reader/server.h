/* SPDX-License-Identifier: MIT */
/*
 * server.h: a producer of a vm_ring that uses no library: written from
 * docs/ABI.md and docs/BINDING-LOCAL.md alone, with their two headers.  It has
 * one session: what later ones would get (frozen Ps) is not there.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vmring_local.h>

#define MAX_VCPUS  64 /* of ours: one word of bits a group will do */
#define NR_REASONS 17

struct tally {
    uint64_t requests, answered, defaulted, records, discarded;
};

struct vcpu {
    /* S6, S8: what we go by, whatever the pages say. */
    uint64_t seq, deadline;
    bool pends;
    struct xen_vm_ring_event request;
    /* The lane: L17. */
    uint64_t head, shown, cons, lost;
    bool faulted, untold;
    struct tally tally[NR_REASONS];
};

struct ring {
    struct xen_vm_ring_header header;
    unsigned char *p, *c;
    int p_fd, c_fd; /* p_fd: for reading alone */
    int bells[XEN_VM_RING_MAX_GROUPS], theirs[XEN_VM_RING_MAX_GROUPS];
    uint64_t arming;                           /* D7 */
    uint64_t requests[XEN_VM_RING_MAX_GROUPS]; /* marked, to be told */
    uint64_t ignored;
    struct vcpu vcpus[MAX_VCPUS];
};

_Noreturn void fail(const char *what);
uint64_t now_ns(void);

/* N2 to N10: the answer to a proposal of `len` bytes. */
struct xen_vm_ring_accept negotiate(const struct ring *ring, const void *body,
                                    size_t len, bool may_attach);
/* The regions and doorbells of what was accepted, and the rest of the answer.
 */
void ring_make(struct ring *ring, struct xen_vm_ring_accept *accept);

/* vCPU v waits from now on. */
void ring_post(struct ring *ring, uint32_t v,
               const struct xen_vm_ring_event *e);
void ring_push(struct ring *ring, uint32_t v,
               const struct xen_vm_ring_event *e);
void ring_flush(struct ring *ring);
/* Verdicts, also of deadlines and, when `released`, of the end; how many. */
unsigned int ring_collect(struct ring *ring, bool released);
/* false: there is something to collect. */
bool ring_arm(struct ring *ring);
void ring_end(struct ring *ring);
bool ring_pends(const struct ring *ring);

#endif /* SERVER_H */
