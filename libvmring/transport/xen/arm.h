/* SPDX-License-Identifier: MIT */
/* arm.h: the events that a consumer subscribes to, in a Xen that is asked. */
#ifndef VMRING_TRANSPORT_XEN_ARM_H
#define VMRING_TRANSPORT_XEN_ARM_H

#include "calls.h"
#include "messages.h"

/* Replaces what is armed; `events` ends with a NUL. */
void xen_subscribe(struct calls *calls, uint32_t verdicts, const char *events,
                   struct vmring_local_subscribed *answer);

/* A bit for each vmring_get_kind() that fires here. */
uint64_t xen_kinds(struct calls *calls);

#endif /* VMRING_TRANSPORT_XEN_ARM_H */
