/* SPDX-License-Identifier: MIT */
#ifndef GUEST_REPORT_H
#define GUEST_REPORT_H

#include <stdint.h>

/* What all vCPUs did and saw, once they have finished. */
void report(uint64_t ns);

#endif
