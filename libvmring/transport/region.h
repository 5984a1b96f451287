/* SPDX-License-Identifier: MIT */
/*
 * region.h: P and C as this process has them mapped.
 *
 * Those of the local transport are sealed memfds; others belong to the
 * transport that made them (struct region_owner).  region_drop() is for all.
 */
#ifndef VMRING_TRANSPORT_REGION_H
#define VMRING_TRANSPORT_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/log.h"
#include "guard.h"

struct region;

/*
 * Opens a file anew, for reading alone, as vmring_producer_ops.open_reading:
 * another descriptor, or -errno.  NULL: by /proc.
 */
struct reopen {
    int (*open)(void *ctx, int fd);
    void *ctx;
    const struct log *log;
    bool failed; /* and it was said */
};

/* Of regions that are no memfds. */
struct region_owner {
    /* Called once, by region_drop(). */
    void (*drop)(struct region_owner *owner, struct region *region);
};

struct region {
    void *at; /* NULL: none */
    size_t len;
    int fd;                     /* what a peer is handed; -1: none */
    int own;                    /* if `reopened`: to take its pages back by */
    struct region_owner *owner; /* NULL: nobody but this process */
    struct guard *guard;
    bool made;     /* by us: its pages are ours to take back, if that can be */
    size_t filled; /* bytes of one that was made that have memory */
    bool reopened;
    bool kept; /* a peer may keep its pages for as long as it likes */
};

#define REGION_NONE ((struct region){.fd = -1})

/*
 * The producer's: `len` bytes, zero, mapped and sealed: its size is fixed, and
 * if `peer_reads_only` no peer that is handed it can write it.  It has no
 * memory before region_fill().  -ENOMEM, -EMFILE.
 */
int region_make(struct region *region, const char *name, size_t len,
                int peer_reads_only);

/*
 * As region_make(), and a peer reads only; its pages can be taken back, unlike
 * those of what is sealed against writing: that forbids it to us, too.  So
 * another open file of the same memory is what a peer gets, for reading, and no
 * other user can open it anew.  Where that cannot be had it is sealed, which is
 * said once.
 */
int region_make_readable(struct region *region, const char *name, size_t len,
                         struct reopen *reopen);

/*
 * Gives it memory, from its beginning on, until that takes longer than to this
 * time of CLOCK_MONOTONIC, in ns.  0: all of it has; 1: call again; -ENOMEM.
 */
int region_fill(struct region *region, uint64_t until);

/* A peer that still has it mapped can go on reading it after region_drop(). */
void region_leave(struct region *region);

/*
 * The consumer's: maps what it was handed, read-only or not.  Takes fd over
 * on success.  -EPROTO: it is not `len` long, is no memfd of ordinary pages, or
 * the peer could truncate it.
 */
int region_map(struct region *region, int fd, uint64_t len, int writable);

/*
 * A region with nothing mapped is fine.  If this process made it, its pages go:
 * a peer that still has them mapped reads zeros from then on.
 */
void region_drop(struct region *region);

/*
 * Regions that were dropped, and whose memory is given back bit by bit: as many
 * as an epoch can leave behind.
 */
#define MAX_GOING 24

struct going {
    unsigned int nr;
    struct region of[MAX_GOING];
};

/* Drops it: what would take long is left for region_give_back(). */
void region_drop_slowly(struct region *region, struct going *going);
/* Gives back until then.  true: all is. */
bool region_give_back(struct going *going, uint64_t until);
/* How much there still is of them. */
uint64_t region_going_bytes(const struct going *going);

/* Its peer has taken pages of it away. */
static inline bool region_is_broken(const struct region *region)
{
    return guard_is_broken(region->guard);
}

#endif /* VMRING_TRANSPORT_REGION_H */
