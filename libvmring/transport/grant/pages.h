/* SPDX-License-Identifier: MIT */
/*
 * pages.h: P and C as pages granted to one other domain.
 *
 * docs/BINDING-GRANT.md has the layout of what both ends see.  Where a function
 * takes `error`, it leaves a line there when it fails.
 */
#ifndef VMRING_TRANSPORT_GRANT_PAGES_H
#define VMRING_TRANSPORT_GRANT_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../transport.h"

/*
 * --- The producer's end ---
 *
 * Pages that the other domain still maps are parked when they are dropped:
 * kept, counted, used for nothing, until its side says that it has let go, or
 * grant_share_peer_gone().  Whatever it says, Linux frees no granted page that
 * Xen has mapped: it defers those, and frees ten a second of them.
 */
struct grant_share;
struct grant_handout;

/*
 * The pages shared with domain `domid`.  -ENOENT, -EACCES: no gntalloc here;
 * -ENOMEM.
 */
int grant_share_open(uint32_t domid, struct grant_share **share, char *error,
                     size_t error_len);

/*
 * `len` bytes, zero, for the other domain to map, read-only if
 * `peer_reads_only`.  region_drop() gives them up.  -ENOSPC: a limit, which
 * the line names; -ENOMEM.
 */
int grant_share_make(struct grant_share *share, struct region *region,
                     size_t len, bool peer_reads_only, char *error,
                     size_t error_len);

/*
 * Makes sure that a frozen P can be handed to this domain: one that is not
 * shared with it is replaced by a copy that is.  As grant_share_make().
 */
int grant_share_again(struct grant_share *share, struct region *region,
                      char *error, size_t error_len);

/* What one consumer is handed. */
struct grant_offer {
    const struct region *p, *c;
    const struct region *before; /* the oldest first */
    unsigned int nr_before;
    uint64_t epoch;
    uint32_t port; /* of ours, rung at the other side when we let go */
};

/*
 * Makes the directory of what is offered; *gref is for the rendezvous.  The
 * regions are of this share.  As grant_share_make().
 */
int grant_handout_make(struct grant_share *share,
                       const struct grant_offer *offer,
                       struct grant_handout **handout, uint32_t *gref,
                       char *error, size_t error_len);

/* XEN_VM_RING_LIFE_*: what the consumer's side says of itself. */
uint64_t grant_handout_life(const struct grant_handout *handout);

/*
 * The consumer has gone, or never came, or is to go: our word is cleared, and
 * the directory goes.  The regions are the caller's to drop, and so is it to
 * ring, for a consumer that lives to see the word.  NULL is fine.
 */
void grant_handout_end(struct grant_handout *handout);

/*
 * Frees what is parked and let go of since; `now` is in ns, and what was let
 * go of is left alone for GRANT_GRACE_NS.  Returns the pages still parked.
 */
#define GRANT_GRACE_NS 20000000U
size_t grant_share_collect(struct grant_share *share, uint64_t now);

/* Pages that are shared, and those of them that are parked. */
size_t grant_share_pages(const struct grant_share *share);
size_t grant_share_parked(const struct grant_share *share);

/*
 * Pages that were given back to the kernel, on the other domain's word that it
 * maps them no more, and of which nothing says that the word was good.  It was
 * when the kernel gives the same reference again, for whatever is shared next:
 * Linux takes the one that was last returned to it first, and what is mapped
 * still was not returned.  So as many are shared for a moment, with nobody, as
 * soon as they are given back; and again if there are more than `most`.  What
 * another process was given in between counts until we are given it.
 */
size_t grant_share_unshared(struct grant_share *share, size_t most);

/* The domain is destroyed: it maps nothing any more. */
void grant_share_peer_gone(struct grant_share *share);

/*
 * Ends it; what is parked is left to the kernel.  Regions may outlive it.
 * NULL is fine.
 */
void grant_share_close(struct grant_share *share);

/* --- The consumer's end --- */
struct grant_map;

/* -ENOENT, -EACCES: no gntdev here; -ENOMEM. */
int grant_map_open(uint32_t domid, struct grant_map **map, char *error,
                   size_t error_len);

/*
 * Maps what the directory at `gref` lists: P and frozen Ps read-only, C
 * writable, as long as `grant` says they are.  `port` is rung at the other
 * side when we let go.  Once for each grant_map.  -EPROTO: a directory that
 * is none; -EINVAL: refused by Xen, or a limit, which the line names;
 * -ENOMEM.
 */
int grant_map_attach(struct grant_map *map, uint32_t gref, uint32_t port,
                     const struct xen_vm_ring_accept *accept,
                     struct link_regions *regions, char *error,
                     size_t error_len);

/*
 * Nothing more can be mapped, by it or by its descriptors; what is mapped
 * stays.  -EMFILE...
 */
int grant_map_restrict(struct grant_map *map);

/* false: the producer has let go; its pages will not change any more. */
bool grant_map_producer_lives(const struct grant_map *map);

/* After the regions were dropped.  NULL is fine. */
void grant_map_close(struct grant_map *map);

#endif /* VMRING_TRANSPORT_GRANT_PAGES_H */
