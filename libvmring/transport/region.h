/* SPDX-License-Identifier: MIT */
/*
 * region.h: P and C as this process has them mapped.
 *
 * Those of the local transport are sealed memfds; others belong to whoever
 * made them, and only region_drop() is the same for all.
 */
#ifndef VMRING_TRANSPORT_REGION_H
#define VMRING_TRANSPORT_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guard.h"

struct region;

/* Of regions that are no memfds. */
struct region_owner {
    /* Called once, by region_drop(). */
    void (*drop)(struct region_owner *owner, struct region *region);
};

struct region {
    void *at; /* NULL: none */
    size_t len;
    int fd;                     /* -1: none */
    struct region_owner *owner; /* NULL: nobody but this process */
    struct guard *guard;
    bool made; /* by us: its pages are ours to take back */
};

#define REGION_NONE ((struct region){.fd = -1})

/*
 * The producer's: `len` bytes, zero, allocated now, mapped, then sealed: its
 * size is fixed, and if `peer_reads_only` nobody who is handed it can write
 * it.  -ENOMEM, -EMFILE.
 */
int region_make(struct region *region, const char *name, size_t len,
                int peer_reads_only);

/*
 * The consumer's: maps what it was handed, read-only or not.  Takes fd over
 * on success.  -EPROTO: it is not `len` long, is no memfd of ordinary pages, or
 * the peer could truncate it.
 */
int region_map(struct region *region, int fd, uint64_t len, int writable);

/*
 * Nothing mapped is fine.  The pages of one that was made go, whoever still has
 * it mapped: it reads zeros from then on.
 */
void region_drop(struct region *region);

/* Its peer has taken pages of it away. */
static inline bool region_is_broken(const struct region *region)
{
    return guard_is_broken(region->guard);
}

#endif /* VMRING_TRANSPORT_REGION_H */
