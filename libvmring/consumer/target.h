/* SPDX-License-Identifier: MIT */
/* target.h: what the header says of the target. */
#ifndef VMRING_CONSUMER_TARGET_H
#define VMRING_CONSUMER_TARGET_H

#include "ring.h"

struct target target_now(const struct vmring *ring);
/* One that is suspended may go on: only its destruction ends it. */
bool target_is_end(struct target target);
bool target_is_news(struct target target, struct target known);

#endif /* VMRING_CONSUMER_TARGET_H */
