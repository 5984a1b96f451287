/* SPDX-License-Identifier: MIT */
/* serve.h: who comes to a producer, and who has gone. */
#ifndef VMRING_PRODUCER_SERVE_H
#define VMRING_PRODUCER_SERVE_H

#include "handle.h"

/* Hangs up on all of them, and nobody comes any more. */
void serve_close(struct vmring_producer *producer);

#endif /* VMRING_PRODUCER_SERVE_H */
