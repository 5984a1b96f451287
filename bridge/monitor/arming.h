/* SPDX-License-Identifier: MIT */
/* arming.h: what is armed in the domain, and what is to be. */
#ifndef BRIDGE_MONITOR_ARMING_H
#define BRIDGE_MONITOR_ARMING_H

#include "../../libvmring/vmring.h"
#include "lock.h"
#include "quiesce.h"
#include "ranges.h"
#include "ring.h"
#include "target.h"

struct arming {
    struct target *target;
    struct lock *lock;
    struct ring *ring;
    struct quiesce *quiesce;

    /* What is to be armed, and is, when no arming is under way. */
    struct vmring_spec specs[VMRING_MAX_SPECS];
    unsigned int nr_specs;
    bool busy;

    /* While it withholds, what was before is in force. */
    bool withholds;
    struct vmring_spec before[VMRING_MAX_SPECS];
    unsigned int nr_before;

    /* Armed in Xen by one call each; MSRs and frames have books of their own.
     */
    struct vmring_spec armed[VMRING_MAX_SPECS];
    unsigned int nr_armed;
    struct ranges ranges;
    uint32_t async_ctrlregs; /* 1 << index: delivered asynchronously */
    uint32_t async_reasons;  /* 1 << reason */
    bool walks_suppressed;   /* no events for page walks */
    bool defers;             /* writes of registers, which can be denied then */

    int *results; /* the consumer's; NULL: nobody is told */
    char *error;
    size_t error_len;
    bool complained;    /* of something that cannot be disarmed */
    bool said_left_out; /* of MSRs that no range has */
    uint64_t next_slice;
};

#endif /* BRIDGE_MONITOR_ARMING_H */
