/* SPDX-License-Identifier: MIT */
#ifndef GUEST_CLOCK_H
#define GUEST_CLOCK_H

#include <stdint.h>

#include "vcpu.h"

/* Tells Xen where v's time is to be; only for a vCPU that is not running,
 * or by itself.  0, or Xen's negative error. */
int register_clock(unsigned int vcpu);

/* Xen's system time in nanoseconds; 0 before Xen gave any. */
uint64_t system_time(const struct vcpu *v);
void sleep_for(const struct vcpu *v, uint64_t ns);
void spin_for(const struct vcpu *v, uint64_t ns);

#endif
