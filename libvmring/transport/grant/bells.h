/* SPDX-License-Identifier: MIT */
/*
 * bells.h: the doorbells of a consumer's link, each an event channel with a
 * handle of its own: libxenevtchn's are not for two threads at once.
 */
#ifndef VMRING_TRANSPORT_GRANT_BELLS_H
#define VMRING_TRANSPORT_GRANT_BELLS_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/vm_ring.h>

#include "../budget.h"
#include "evtchn.h"

struct bells {
    int epoll; /* the link's: what is not apart wakes it */
    uint32_t nr;
    struct evtchn *bell[XEN_VM_RING_MAX_GROUPS];
    uint64_t apart;     /* groups whose doorbell is another thread's */
    struct budget rung; /* of all the others */
};

/*
 * Binds to `nr` ports, at most 64, of domain `domid`; `bells` has none yet, and
 * its epoll.  On failure those that were bound are there, for bells_close().
 */
int bells_bind(struct bells *bells, uint32_t domid, const uint32_t *ports,
               uint32_t nr, char *error, size_t error_len);

/* As the link's kick, ack, bell_fd, bell_apart and bell_ack. */
void bells_kick(const struct bells *bells, uint32_t group);
unsigned int bells_ack(const struct bells *bells);
int bells_fd(const struct bells *bells, uint32_t group);
int bells_apart(struct bells *bells, uint32_t group, bool apart);
bool bells_ack_one(const struct bells *bells, uint32_t group);

/* As evtchn_restrict(), all of them, or up to the first that fails. */
int bells_restrict(const struct bells *bells);

void bells_close(struct bells *bells);

#endif /* VMRING_TRANSPORT_GRANT_BELLS_H */
