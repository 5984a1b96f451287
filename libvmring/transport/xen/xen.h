/* SPDX-License-Identifier: MIT */
/*
 * xen.h: the transport to a Xen that is the producer itself; scheme.c registers
 * it.
 *
 *   link.c     the consumer's end: pages and event channels
 *   keeper.c   a process of its own, which alone may call Xen afterwards
 *   start.c    how that process begins
 *   arm.c      what it arms; calls.c its hypercalls
 *   messages.h what the two say to each other
 */
#ifndef VMRING_TRANSPORT_XEN_XEN_H
#define VMRING_TRANSPORT_XEN_XEN_H

#include "../scheme.h"

/* "DOMID".  -ENOSYS: this Xen is none; -EINVAL: that is no domain. */
int xen_connect(const struct connecting *how, const char *where,
                struct link **link);

/* Serves one consumer over `socket`, until it hangs up. */
void xen_keeper(uint32_t domid, int socket);

/*
 * In a process of its own, which ends when the consumer closes *socket, or is
 * no more.  -EMFILE, -EAGAIN, -ENOMEM.
 */
int xen_keeper_start(uint32_t domid, int *socket);

#endif /* VMRING_TRANSPORT_XEN_XEN_H */
