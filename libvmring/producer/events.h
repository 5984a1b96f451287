/* SPDX-License-Identifier: MIT */
/* events.h: events in, verdicts out. */
#ifndef VMRING_PRODUCER_EVENTS_H
#define VMRING_PRODUCER_EVENTS_H

#include "handle.h"

/* Rings the attached consumer, if there is one, for these groups. */
void events_ring(struct vmring_producer *producer, uint64_t groups);

/*
 * DUE_*: what a turn of the control plane (serve.c) would do now that all is
 * collected.  Collecting only looks whether there is any.
 */
unsigned int events_control_due(const struct vmring_producer *producer);

/* Every request gets its verdict, though nobody may be there to see it. */
void events_drain(struct vmring_producer *producer,
                  void (*drain)(void *ctx,
                                const struct vmring_verdict *verdict),
                  void *ctx);

#endif /* VMRING_PRODUCER_EVENTS_H */
