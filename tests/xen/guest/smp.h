/* SPDX-License-Identifier: MIT */
#ifndef GUEST_SMP_H
#define GUEST_SMP_H

#include <stdbool.h>

#include "vcpu.h"

/* Starts all but vCPU 0; prints what Xen refuses and returns false. */
bool start_secondaries(void);

/* Waits until all but vCPU 0 have come to this state. */
void wait_for_all(enum vcpu_state state);

/* Lets those go on that wait at the start. */
void open_barrier(void);

#endif
