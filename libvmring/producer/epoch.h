/* SPDX-License-Identifier: MIT */
/* epoch.h: a ring for a consumer, and the epoch that begins with it. */
#ifndef VMRING_PRODUCER_EPOCH_H
#define VMRING_PRODUCER_EPOCH_H

#include "handle.h"

/* Makes a ring for it, slice by slice; then it is attached. */
void epoch_make(struct vmring_producer *producer, struct peer *peer,
                const struct vmring_local_accept *reply);
/* The next slice, and of what goes.  At the end of each turn. */
void epoch_go_on(struct vmring_producer *producer);

#endif /* VMRING_PRODUCER_EPOCH_H */
