/* SPDX-License-Identifier: MIT */
#ifndef GUEST_CPUID_H
#define GUEST_CPUID_H

#include <stdbool.h>

#include "vcpu.h"

/* Asks Xen, by hypercall, what some of the answers must be. */
void learn_cpuid(void);

/* One CPUID, of the next leaf in turn; false if the answer is wrong. */
bool raise_cpuid(struct vcpu *v);

/* How many of v's first answers differ from those of other. */
unsigned int nr_cpuid_differences(const struct vcpu *v,
                                  const struct vcpu *other);

#endif
