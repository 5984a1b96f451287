/* SPDX-License-Identifier: MIT */
/* ring.h: the legacy ring's page, taken into use and given back. */
#ifndef BRIDGE_MONITOR_RING_H
#define BRIDGE_MONITOR_RING_H

#include "legacy_ring.h"
#include "lock.h"
#include "quiesce.h"
#include "target.h"

struct ring {
    struct target *target;
    struct lock *lock;
    struct quiesce *quiesce;

    struct legacy_ring legacy;
    void *page;    /* NULL: not attached */
    int port;      /* of the event channel, ours; or -1 */
    bool in_place; /* the ring has its own frame, as on arm, */
    bool had_page; /* where the guest had a page, which is dropped */

    uint64_t enabled_at, enabled_ns; /* for so long, once that is over */
    uint64_t full_since, full_ns;    /* eight requests unanswered */
};

/* Returns an exit status. */
int ring_enable(struct ring *ring);
/* -EBUSY: vCPUs wait in the ring's queue; what was armed is wiped. */
int ring_disable(struct ring *ring);
/* Without a word to Xen: the domain is dying, or Xen has let go already. */
void ring_detach(struct ring *ring);

/*
 * Disables the ring of a bridge that was killed.  -EBUSY as above, -EINVAL:
 * there is none.
 */
int ring_take_back(struct ring *ring);

/* Keeps the time for which eight requests are unanswered. */
void ring_note_fullness(struct ring *ring);

#endif /* BRIDGE_MONITOR_RING_H */
