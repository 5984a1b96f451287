/* SPDX-License-Identifier: MIT */
/* sandbox.h: what a bridge gives up. */
#ifndef BRIDGE_SANDBOX_H
#define BRIDGE_SANDBOX_H

#include <stdbool.h>

/*
 * At the start, before there are other threads: capabilities that it never
 * needs.  Returns an exit status; a line was logged if it is not 0.
 */
int bridge_sandbox_begin(void);

/*
 * Will bridge_sandbox_enter() make another folder the root than RUN_DIRECTORY?
 */
bool bridge_sandbox_confines(const char *socket);

/*
 * Once it serves: all but what it has open, and what its loop calls.  `socket`
 * is the path that it serves, or "".  Returns as bridge_sandbox_begin().
 */
int bridge_sandbox_enter(const char *socket);

#endif /* BRIDGE_SANDBOX_H */
