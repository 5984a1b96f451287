/* SPDX-License-Identifier: MIT */
/* drain.h: what the consumers before this one had not read. */
#ifndef VMRING_CONSUMER_DRAIN_H
#define VMRING_CONSUMER_DRAIN_H

#include "ring.h"

/* Their next event, lane by lane.  false: no more. */
bool drain_next(struct vmring *ring, struct vmring_event *event);

#endif /* VMRING_CONSUMER_DRAIN_H */
