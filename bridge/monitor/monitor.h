/* SPDX-License-Identifier: MIT */
/*
 * monitor.h: the source "monitor": a domain of Xen 4.17 to 4.20 whose events
 * come by the legacy ring.  Each part is its file's own; a file takes those
 * that it needs.
 */
#ifndef BRIDGE_MONITOR_MONITOR_H
#define BRIDGE_MONITOR_MONITOR_H

#include "../source.h"
#include "lock.h"
#include "quiesce.h"
#include "ring.h"
#include "subscription.h"
#include "target.h"

struct monitor_stats {
    uint64_t requests; /* entries taken from the legacy ring */
    uint64_t at_once;  /* entries that were asynchronous, answered at once */
    uint64_t posted;   /* entries that were synchronous */
    uint64_t arming;   /* entries answered neutrally until all is armed */
    uint64_t ending;   /* entries answered neutrally while ending */
    uint64_t malformed;
    uint64_t bad_verdicts; /* could not be carried out: neutral instead */
    uint64_t failed_injections;
    uint64_t dropped_injections; /* another event was on its way already */
    uint64_t notifications;
    uint64_t busy_disables;
};

struct monitor {
    struct target target;
    struct lock lock;
    struct quiesce quiesce;
    struct ring ring;
    struct arming *arming;

    /* Requests and their verdicts. */
    struct vmring_producer *producer; /* NULL: neutral verdicts, at once */
    uint64_t cookie;
    unsigned int nr_overdue;
    struct monitor_stats stats;

    bool ending;
    bool left_behind; /* the ring is left enabled */
};

#endif /* BRIDGE_MONITOR_MONITOR_H */
