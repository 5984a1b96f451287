/* SPDX-License-Identifier: MIT */
/* The sign of life: how many events there were so far, each beat=SECONDS. */
#ifndef GUEST_BEAT_H
#define GUEST_BEAT_H

#include <stdint.h>

#include "vcpu.h"

void beat_start(uint64_t now);
/* To be called often; vCPU 0 prints when it is time, the others do not. */
void beat(const struct vcpu *v);

#endif
