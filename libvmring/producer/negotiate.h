/* SPDX-License-Identifier: MIT */
/* negotiate.h: what a proposal comes to. */
#ifndef VMRING_PRODUCER_NEGOTIATE_H
#define VMRING_PRODUCER_NEGOTIATE_H

#include "handle.h"

/* Answers a proposal, or has a ring made if it is accepted. */
void negotiate_answer(struct vmring_producer *producer, struct peer *peer,
                      const void *body, size_t len);

#endif /* VMRING_PRODUCER_NEGOTIATE_H */
