/* SPDX-License-Identifier: MIT */
/* clock.h: CLOCK_MONOTONIC, by which the agent waits and counts. */
#ifndef AGENT_CLOCK_H
#define AGENT_CLOCK_H

#include <stdint.h>

uint64_t clock_ns(void);

#endif /* AGENT_CLOCK_H */
