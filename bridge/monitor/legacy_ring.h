/* SPDX-License-Identifier: MIT */
/*
 * legacy_ring.h: our end of the ring of vm_event.h, on one page that others
 * may be able to write: Xen, and a guest that has kept a mapping of it.
 *
 * Every index is read once and bounded; a request is copied out once.
 */
#ifndef BRIDGE_LEGACY_RING_H
#define BRIDGE_LEGACY_RING_H

#include "../../libvmring/vm_event/convert.h"

#define LEGACY_RING_PAGE    4096
#define LEGACY_RING_ENTRIES 8 /* (4096 - 64) / 400, down to a power of two */

struct legacy_ring {
    vm_event_sring_t *shared; /* any other that maps it can write it */
    uint32_t taken;           /* requests taken */
    uint32_t answered;        /* responses published or about to be */
    uint32_t published;       /* responses that Xen can see */
    bool broken;              /* sticky: an index out of bounds */
};

/*
 * Starts with an empty ring.  Xen initialises only its private indices
 * (FRONT_RING_INIT in vm_event_enable()), the shared ones are ours to set,
 * before anything is armed.
 */
void legacy_ring_init(struct legacy_ring *ring, void *page);

/* Requests that Xen has put and that have no response yet: 0 to 8. */
uint32_t legacy_ring_unanswered(struct legacy_ring *ring);

/*
 * 1 and the next request; 0: none; -EPROTO: the producer's index is out of
 * bounds.  That ring is broken for good.
 */
int legacy_ring_take(struct legacy_ring *ring, vm_event_request_t *request);

/*
 * Writes a response.  Each request taken is owed exactly one, in any order:
 * the entry is freed by the response, not by reading it.
 */
void legacy_ring_answer(struct legacy_ring *ring,
                        const vm_event_response_t *response);

/*
 * Lets a vCPU go that waits for a response to what it asked on another ring,
 * now gone.  At most eight in a ring, which is good for nothing else then.
 */
void legacy_ring_release(struct legacy_ring *ring, uint32_t vcpu);

/* Publishes the responses; true: there are new ones, so notify Xen. */
bool legacy_ring_publish(struct legacy_ring *ring);

#endif /* BRIDGE_LEGACY_RING_H */
