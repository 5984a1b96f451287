/* SPDX-License-Identifier: MIT */
/* limits.h: what the kernel would do to a bridge that takes too much. */
#ifndef BRIDGE_LIMITS_H
#define BRIDGE_LIMITS_H

#include <stdint.h>

/*
 * At the start, with all capabilities yet: raises limits to what is allowed,
 * and has the kernel choose anything else when memory is short.  What is left
 * too low is said in a line each.  Returns an exit status.
 */
int bridge_limits_begin(uint64_t max_async_len);

#endif /* BRIDGE_LIMITS_H */
