/* SPDX-License-Identifier: MIT */
/* What the guest's model-specific registers are to it. */
#ifndef GUEST_PROBE_H
#define GUEST_PROBE_H

#include <stdbool.h>

#include "vcpu.h"

/*
 * Reads every register of the two windows that a monitor can watch, and writes
 * those that cannot be read; false if something is not as the first time.
 */
bool probe(struct vcpu *v);

#endif
