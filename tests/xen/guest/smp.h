/* SPDX-License-Identifier: MIT */
#ifndef GUEST_SMP_H
#define GUEST_SMP_H

#include <stdbool.h>

#include "vcpu.h"

/* Starts all but vCPU 0; prints what Xen refuses and returns false. */
bool start_secondaries(void);

/* Waits until they have all come to the start. */
void wait_for_barrier(void);

/* Lets them go on. */
void open_barrier(void);

/* Says that v has. */
void finish(struct vcpu *v);

/* Waits until they have all finished their work. */
void wait_for_finished(void);

#endif
