/* SPDX-License-Identifier: MIT */
/* refuse.h: how a consumer is refused. */
#ifndef VMRING_PRODUCER_REFUSE_H
#define VMRING_PRODUCER_REFUSE_H

#include "handle.h"

/* What it has proposed; `reply` has what it may know. */
void refuse_proposal(struct vmring_producer *producer, struct peer *peer,
                     struct vmring_local_accept *reply, uint32_t why);

/* One that is not let in. */
void refuse_peer(struct vmring_producer *producer, struct peer *peer,
                 uint32_t why);

#endif /* VMRING_PRODUCER_REFUSE_H */
