/* SPDX-License-Identifier: MIT */
/*
 * transport.h: what carries a ring between two processes or domains.
 *
 * A consumer's link: a control channel for messages (vmring_local.h), the
 * regions, and a doorbell per group.  A producer has a listener, where
 * consumers come to it, and a peer for each that has come, which is the other
 * end of its link.
 * Used off the hot path, but for kick.
 */
#ifndef VMRING_TRANSPORT_TRANSPORT_H
#define VMRING_TRANSPORT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <vmring_local.h>

#include "../base/log.h"
#include "budget.h"
#include "patience.h"
#include "region.h"

struct link;

/* What attaching gives, on either side. */
struct link_regions {
    struct region p, c;
    unsigned int nr_before; /* frozen Ps to drain, the oldest first */
    struct region before[XEN_VM_RING_MAX_PREV];
};

struct link_ops {
    /*
     * Sends a control message.  -EAGAIN, -EPIPE, -ECONNRESET.  It may wait,
     * the link's timeout_ms at most; VMRING_LOCAL_DETACH until it has been
     * seen, a second at most.
     */
    int (*send)(struct link *link, uint32_t type, const void *body, size_t len);
    /*
     * Receives one, waiting timeout_ms at most (0: not at all).  Returns the
     * body's length.  -EAGAIN, -ETIMEDOUT, -EINTR, -ECONNRESET, -EPROTO.
     */
    int (*recv)(struct link *link, uint32_t *type, void *body, size_t max,
                int timeout_ms);
    /*
     * Receives VMRING_LOCAL_ACCEPT and, if it accepts, maps the regions and
     * takes the doorbells.  As recv; -ENOMEM.
     */
    int (*map)(struct link *link, struct vmring_local_accept *accept,
               struct link_regions *regions, int timeout_ms);
    /* Rings the producer for a group. */
    void (*kick)(struct link *link, uint32_t group);
    /* Clears what was rung; returns how many groups were. */
    unsigned int (*ack)(struct link *link);
    /* Polls readable when rung, or when a message is there. */
    int (*fd)(const struct link *link);
    /*
     * A group's doorbell for a thread of its own: while it is apart, it is none
     * of ack's and fd's, and that thread calls bell_ack, and kick for it, while
     * others call what is theirs.  bell_fd is of one that is apart, and polls
     * readable no more when it has hung up.
     */
    int (*bell_fd)(const struct link *link, uint32_t group);
    int (*bell_apart)(struct link *link, uint32_t group, bool apart);
    bool (*bell_ack)(struct link *link, uint32_t group);
    /*
     * Has the producer gone, as recv would say of it?  Any thread may ask.
     * NULL: fd polls readable then.  Else a doorbell may be all that rings,
     * also one that is apart.
     */
    bool (*gone)(const struct link *link);
    /*
     * Has the producer hung up, also if there are messages that are not
     * received yet?  Any thread may ask.
     */
    bool (*hung_up)(const struct link *link);
    /*
     * Gives up what only map needs; NULL: there is nothing.  -EMFILE;
     * -EOPNOTSUPP: the kernel lacks a part of it, the rest is done.
     */
    int (*give_up)(struct link *link);
    /* Ends it, for link_close() alone. */
    void (*close)(struct link *link);
};

struct link {
    const struct link_ops *ops;
    int timeout_ms;           /* of what has none of its own */
    struct patience patience; /* the same; while a grant link is made, too */
    char error[256]; /* why, in words, if map said no and there are any */
    void (*ended)(void *ctx); /* it is closed; or NULL */
    void *ended_ctx;
};

/* The regions are the caller's to drop, before. */
static inline void link_close(struct link *link)
{
    void (*then)(void *ctx) = link->ended;
    void *ctx = link->ended_ctx;

    link->ops->close(link);
    if (then)
        then(ctx);
}

struct listener;

/* One that has come; MAX_PEERS of them at most. */
struct peer {
    const struct listener_ops *ops;
    uint64_t since; /* order of arrival */
    bool allowed;   /* it may propose */
    uid_t uid;      /* who it was when it connected; over grant: nobody's */
    struct budget rung;
};

/* None of them blocks, whatever the peer does. */
struct listener_ops {
    uint32_t max_rows; /* of VMRING_LOCAL_COUNTS, in one message */
    /*
     * 0: somebody has come, *peer.  -EAGAIN: nobody.  Else somebody was turned
     * away: -EMFILE for want of descriptors, -ENOMEM...
     */
    int (*accept)(struct listener *listener, struct peer **peer);
    /*
     * One has come by this connected socket; takes it over, also on failure.
     * NULL: nobody comes so.  -EINVAL, -EBADF: it is no such socket.
     */
    int (*take)(struct listener *listener, int fd, struct peer **peer);
    /* Ends it; its peers are dropped before. */
    void (*close)(struct listener *listener);

    /*
     * As a link's.  recv never waits; -EAGAIN also: it is over its budget, and
     * is heard later.
     */
    int (*send)(struct peer *peer, uint32_t type, const void *body, size_t len);
    int (*recv)(struct peer *peer, uint32_t *type, void *body, size_t max);
    /*
     * Makes what an epoch needs: P, which the peer cannot write, and C, all
     * zero, and doorbells.  On failure there may be some of the regions, which
     * are the caller's to drop.  -ENOMEM, -EMFILE, -EDQUOT: it may keep as
     * much already as is allowed.
     */
    int (*make)(struct peer *peer, size_t p_len, size_t c_len,
                uint32_t nr_groups, struct region *p, struct region *c);
    /*
     * Gives the regions their memory, as region_fill(); before they are in
     * use.  NULL: they have it.
     */
    int (*fill)(struct peer *peer, struct region *p, struct region *c,
                uint64_t until);
    /* Sends VMRING_LOCAL_ACCEPT, and hands over the regions and what make made.
     */
    int (*hand_over)(struct peer *peer,
                     const struct vmring_local_accept *accept,
                     const struct link_regions *regions);
    /* Rings the peer for a group.  false: it cannot be rung any more. */
    bool (*kick)(struct peer *peer, uint32_t group);
    /*
     * Clears what was rung, as far as it is to be heard; returns how many
     * groups were.
     */
    unsigned int (*ack)(struct peer *peer);
    /* Has it gone, though messages of it may be left? */
    bool (*gone)(struct peer *peer);
    /* Nobody receives from it for now: its messages wake nobody, its end does.
     */
    void (*hold)(struct peer *peer, bool held);
    /* Hangs up.  Regions that it still has mapped do it no good. */
    void (*drop)(struct peer *peer);
};

struct listener {
    const struct listener_ops *ops;
    int epoll; /* the producer's: polls readable when there is work here */
    bool open; /* others may come */
    struct reopen *reopen; /* of memory; where there is such */
    uint64_t kept_bytes;   /* handed over, and not to be taken back */
};

/* What Xen knows of event channels; is_bound as in vmring.h, or NULL. */
struct channel_ops {
    int (*is_bound)(void *ctx, uint32_t port);
    void *ctx;
};

#endif /* VMRING_TRANSPORT_TRANSPORT_H */
