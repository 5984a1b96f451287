/* SPDX-License-Identifier: MIT */
/* peers.h: places for the peers that are attached, or want to be. */
#ifndef VMRING_PRODUCER_PEERS_H
#define VMRING_PRODUCER_PEERS_H

#include "handle.h"

/* One has come.  Somebody may have to give way. */
void peers_add(struct vmring_producer *producer, struct peer *peer);
/* Hangs up on a peer that is not attached, or no longer. */
void peers_drop(struct vmring_producer *producer, struct peer *peer);
/* There was one connection, and it has gone: nothing will poll readable. */
bool peers_are_over(const struct vmring_producer *producer);

#endif /* VMRING_PRODUCER_PEERS_H */
