/* SPDX-License-Identifier: MIT */
/* arm_steps.h: from what is armed to what is wanted, step by step. */
#ifndef BRIDGE_MONITOR_ARM_STEPS_H
#define BRIDGE_MONITOR_ARM_STEPS_H

#include "arming.h"

/* Is there anything that is not as arming->specs wants it? */
bool arm_is_left(struct arming *arming);
/*
 * Makes one event, MSR or page range as it is wanted, events last.  After a
 * failure nothing is wanted any more.
 */
void arm_step(struct arming *arming);
/* Arms an event again, as what it is armed as has changed.  0 or -errno. */
int arm_again(struct arming *arming, const struct vmring_spec *spec);
/* One line for a consumer, of the spec that is to blame. */
void arm_blame(char *error, size_t error_len, const struct vmring_spec *spec,
               const char *why);

#endif /* BRIDGE_MONITOR_ARM_STEPS_H */
