/* SPDX-License-Identifier: MIT */
/*
 * sandbox.h: what an attached agent gives up.
 */
#ifndef AGENT_SANDBOX_H
#define AGENT_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "../libvmring/vmring.h"
#include "../sandbox/sandbox.h"

struct agent_sandbox {
    bool becomes; /* another user */
    struct sandbox_user user;
};

/*
 * Finds the user to become, while there are files: `name`, or a default.  Who
 * is not root, and cannot, gives up what capabilities it has been given.
 * Returns 0 or -errno and a line in error.
 */
int agent_sandbox_prepare(struct agent_sandbox *sandbox, const char *name,
                          char *error, size_t error_len);

/*
 * Enters it: from now on this process has the ring, what else it has open,
 * and no rights besides.  Returns 0 or -errno and a line in error.
 */
int agent_sandbox_enter(const struct agent_sandbox *sandbox,
                        struct vmring *ring, char *error, size_t error_len);

#endif /* AGENT_SANDBOX_H */
