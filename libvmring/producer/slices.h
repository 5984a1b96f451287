/* SPDX-License-Identifier: MIT */
/* slices.h: what takes long is done little by little, one slice a turn. */
#ifndef VMRING_PRODUCER_SLICES_H
#define VMRING_PRODUCER_SLICES_H

#include "handle.h"

/* The loop comes back at once, for as long as there is more to do. */
void slices_due(struct vmring_producer *producer, bool again);

/* Drops a region of an earlier epoch, or of one that never was. */
void slices_drop(struct vmring_producer *producer, struct region *region);
/* The peer that a ring is made for has gone. */
void slices_abandon(struct vmring_producer *producer);
/* All that was dropped goes now. */
void slices_close(struct vmring_producer *producer);

#endif /* VMRING_PRODUCER_SLICES_H */
