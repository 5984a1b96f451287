/* SPDX-License-Identifier: MIT */
/*
 * transport.h: what carries a ring between two processes or domains.
 *
 * A consumer's link: a control channel for messages (wire.h), the regions,
 * and a doorbell per group.  Used off the hot path, but for kick.
 */
#ifndef VMRING_TRANSPORT_TRANSPORT_H
#define VMRING_TRANSPORT_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

#include "region.h"
#include "wire.h"

struct link;

/* What attaching gives. */
struct link_regions {
    struct region p, c;
    unsigned int nr_before; /* frozen Ps to drain, the oldest first */
    struct region before[XEN_VM_RING_MAX_PREV];
};

struct link_ops {
    /* Sends a control message.  -EAGAIN, -EPIPE, -ECONNRESET. */
    int (*send)(struct link *link, uint32_t type, const void *body, size_t len);
    /*
     * Receives one, waiting timeout_ms at most (0: not at all).  Returns the
     * body's length.  -EAGAIN, -ETIMEDOUT, -EINTR, -ECONNRESET, -EPROTO.
     */
    int (*recv)(struct link *link, uint32_t *type, void *body, size_t max,
                int timeout_ms);
    /*
     * Receives WIRE_GRANT and, if granted, maps the regions and takes the
     * doorbells.  As recv; -ENOMEM.
     */
    int (*map)(struct link *link, struct wire_grant *grant,
               struct link_regions *regions, int timeout_ms);
    /* Rings the producer for a group. */
    void (*kick)(struct link *link, uint32_t group);
    /* Clears what was rung; returns how many groups were. */
    unsigned int (*ack)(struct link *link);
    /* Polls readable when rung, or when a message is there. */
    int (*fd)(const struct link *link);
    /* Ends it.  The regions are the caller's to drop, before. */
    void (*close)(struct link *link);
};

struct link {
    const struct link_ops *ops;
};

/*
 * Connects to a unix socket.  -ENOENT, -ECONNREFUSED, -EACCES (also when its
 * server is neither root nor this user), -ENAMETOOLONG, -EINVAL.
 */
int local_connect(const char *path, struct link **link);

/* Uses a connected socket; takes it over, also on failure. */
int local_adopt(int fd, struct link **link);

#endif /* VMRING_TRANSPORT_TRANSPORT_H */
