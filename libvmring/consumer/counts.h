/* SPDX-License-Identifier: MIT */
/* counts.h: what a consumer has counted. */
#ifndef VMRING_CONSUMER_COUNTS_H
#define VMRING_CONSUMER_COUNTS_H

#include "ring.h"

/* Sums up; `to` is this thread's. */
void counts_add(struct vmring_stats *to, const struct vmring_stats *from);

#endif /* VMRING_CONSUMER_COUNTS_H */
