/* SPDX-License-Identifier: MIT */
/*
 * endpoint.h: from what the command line names to an attached ring.
 */
#ifndef AGENT_ENDPOINT_H
#define AGENT_ENDPOINT_H

#include "bridge_start.h"
#include "options.h"
#include "sandbox.h"

struct endpoint {
    struct vmring *ring;
    struct bridge bridge; /* the one that was started for it, if any */
    struct agent_sandbox sandbox;
    const struct options *options;
    uint64_t limit; /* waits for no answer beyond this time; 0: for its time */
    bool is_from_xen; /* xen:, so that no bridge serves it */
    bool is_closing;
    bool unwritten; /* a file that the library writes as it closes */
};

/* The descriptor that it was started with for that, of "fd:N"; or -1. */
int endpoint_fd(const struct options *options);

/*
 * Attaches, and gives up what is not needed any more: from then on no file can
 * be opened.  Returns EXIT_AS_ASKED, or after one line on standard error the
 * status to exit with; then nothing is left attached or running.
 */
int endpoint_open(struct endpoint *endpoint, const struct options *options);

/* Detaches: the target runs on without this agent. */
void endpoint_detach(struct endpoint *endpoint);

/*
 * Detaches, and waits until a bridge that was started has left the domain.
 * Returns EXIT_AS_ASKED or the status of a bridge that failed to.
 */
int endpoint_close(struct endpoint *endpoint);

/* The exit status for an error of the library. */
int endpoint_status(int error);

#endif /* AGENT_ENDPOINT_H */
