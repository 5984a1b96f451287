/* SPDX-License-Identifier: MIT */
/* serve.h: peers connect, are heard in turn, and are dropped. */
#ifndef VMRING_PRODUCER_SERVE_H
#define VMRING_PRODUCER_SERVE_H

#include "handle.h"

/* Hangs up on all of them, and nobody comes any more. */
void serve_close(struct vmring_producer *producer);

#endif /* VMRING_PRODUCER_SERVE_H */
