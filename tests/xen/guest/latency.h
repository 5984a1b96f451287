/* SPDX-License-Identifier: MIT */
/* How long events took the vCPUs that raised them, with timed=1. */
#ifndef GUEST_LATENCY_H
#define GUEST_LATENCY_H

#include <stdint.h>

void latency_note(uint64_t ns);
/* The median and the 99th percentile of all that was noted. */
void latency_report(void);

#endif
