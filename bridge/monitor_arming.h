/* SPDX-License-Identifier: MIT */
/* monitor_arming.h: what monitor_arm.c and monitor_step.c share. */
#ifndef BRIDGE_MONITOR_ARMING_H
#define BRIDGE_MONITOR_ARMING_H

#include "monitor.h"
#include "monitor_ranges.h"

struct arming {
    bool busy;
    /* In force is what was before, not what monitor->specs says. */
    bool withholds;
    struct vmring_spec before[VMRING_MAX_SPECS];
    unsigned int nr_before;

    /* Armed in Xen by one call each; MSRs and frames have books of their own.
     */
    struct vmring_spec armed[VMRING_MAX_SPECS];
    unsigned int nr_armed;
    struct ranges ranges;

    int *results; /* the consumer's; NULL: nobody is told */
    char *error;
    size_t error_len;
    bool complained; /* of something that cannot be disarmed */
    uint64_t next_slice;
};

/* monitor_step.c */

/* Is there anything that is not as monitor->specs wants it? */
bool monitor_has_step(struct monitor *monitor);
/*
 * Makes one event, MSR or run of frames as it is wanted, events last.  After a
 * failure nothing is wanted any more.
 */
void monitor_step(struct monitor *monitor);
/* Arms an event again, as what it is armed as has changed. */
int monitor_arm_again(struct monitor *monitor, const struct vmring_spec *spec);
/* One line for a consumer, of the spec that is to blame. */
void monitor_say(char *error, size_t error_len, const struct vmring_spec *spec,
                 const char *why);

#endif /* BRIDGE_MONITOR_ARMING_H */
