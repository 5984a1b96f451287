/* SPDX-License-Identifier: MIT */
/* respond.h: what answers an event. */
#ifndef VMRING_CONSUMER_RESPOND_H
#define VMRING_CONSUMER_RESPOND_H

#include "ring.h"

/* Stores an answer to a request of one of these groups, counted. */
int groups_respond(struct vmring *ring, struct groups *groups,
                   const struct vmring_event *event,
                   const struct xen_vm_ring_response *response);

#endif /* VMRING_CONSUMER_RESPOND_H */
