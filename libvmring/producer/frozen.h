/* SPDX-License-Identifier: MIT */
/* frozen.h: Ps of earlier epochs, for a successor to drain. */
#ifndef VMRING_PRODUCER_FROZEN_H
#define VMRING_PRODUCER_FROZEN_H

#include "handle.h"

int frozen_open(struct vmring_producer *producer);
void frozen_close(struct vmring_producer *producer);
/*
 * The current P, if there is one, becomes the last of the frozen.  Those that
 * are too many by then are given up, and what they hold is counted lost.
 */
void frozen_add(struct vmring_producer *producer);
/* There is no successor after all: the last of the frozen is current again. */
void frozen_take_back(struct vmring_producer *producer);
/* A consumer has read all that it was handed. */
void frozen_drop(struct vmring_producer *producer);

#endif /* VMRING_PRODUCER_FROZEN_H */
