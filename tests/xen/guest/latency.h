/* SPDX-License-Identifier: MIT */
/* How long events took the vCPUs that raised them, with timed=1. */
#ifndef GUEST_LATENCY_H
#define GUEST_LATENCY_H

#include <stdint.h>

void latency_note(uint64_t ns);
/* From one event's end to the next one's, less the pace. */
void latency_gap(uint64_t ns);
/* The longest since it was asked for last, 0 for none. */
uint32_t latency_gap_us(void);
/* The median, the 99th percentile and the longest of all that was noted. */
void latency_report(void);

#endif
