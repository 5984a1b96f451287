/* SPDX-License-Identifier: MIT */
/*
 * bridge_start.h: a vmring-bridge of the agent's own, for one domain.
 */
#ifndef AGENT_BRIDGE_START_H
#define AGENT_BRIDGE_START_H

#include <sys/types.h>

#include "options.h"

struct bridge {
    pid_t pid;        /* 0: none was started */
    bool stopped;     /* by us: dying of SIGTERM is in order */
    char socket[108]; /* where it serves; sun_path's size */
};

/*
 * Starts a bridge that serves one agent and then ends, and waits until it
 * serves.  It gets a session of its own: neither Ctrl-C nor the death of the
 * agent may end it without order.  Returns EXIT_AS_ASKED; or after a line on
 * standard error, the bridge's or our own, the status to exit with.
 */
int bridge_start(struct bridge *bridge, const struct options *options);

/* Asks it to end, and waits as bridge_wait(). */
int bridge_stop(struct bridge *bridge);

/*
 * Waits for it to end by itself after the agent has detached; says so if
 * that takes long.  Returns EXIT_AS_ASKED or the bridge's exit status.
 */
int bridge_wait(struct bridge *bridge);

#endif /* AGENT_BRIDGE_START_H */
