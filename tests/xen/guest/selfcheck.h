/* SPDX-License-Identifier: MIT */
/* self=1: what the CPU does around instructions that a monitor may watch. */
#ifndef GUEST_SELFCHECK_H
#define GUEST_SELFCHECK_H

#include <stdbool.h>

#include "traps.h"

/* On vCPU 0, after all other work; one line for each check. */
void self_check(void);

/* Whether this exception or interrupt is of a check: it is noted then. */
bool self_trap(struct trap_frame *frame);

#endif
