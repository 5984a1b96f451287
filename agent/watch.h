/* SPDX-License-Identifier: MIT */
/*
 * watch.h: from an attached ring to the ledger, and to the exit status.
 */
#ifndef AGENT_WATCH_H
#define AGENT_WATCH_H

#include "endpoint.h"
#include "options.h"
#include "output/outputs.h"

struct event_base; /* libevent's; run_base_new() */

/* Watches until the end, and detaches.  Returns the status to exit with. */
int watch(const struct options *options, struct endpoint *endpoint,
          struct outputs *outputs, struct event_base *base);

/* A lost output is worse news than a guest that ended, and no other. */
int status_with_output(int status, bool is_lost);

#endif /* AGENT_WATCH_H */
