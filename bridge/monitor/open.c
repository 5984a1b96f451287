/* SPDX-License-Identifier: MIT */
/* open.c: the parts of a monitor, opened and closed in order. */
#include <stdlib.h>

#include "../exit_status.h"
#include "../log.h"
#include "domctl.h"
#include "find_target.h"
#include "open.h"
#include "pause.h"

/* Each part knows those below it. */
static int open_parts(struct monitor *monitor, struct source_start *start)
{
    struct target *target = &monitor->target;
    int status = handles_open(&target->xen);

    if (!status)
        status = domctl_check_xen(&target->xen);
    if (!status)
        status = find_target(target, start);
    if (!status)
        status = quiesce_open(&monitor->quiesce, target);
    if (status)
        return status;
    monitor->ring.target = target;
    monitor->ring.lock = &monitor->lock;
    monitor->ring.quiesce = &monitor->quiesce;
    monitor->arming = subscription_open(&monitor->ring);
    if (!monitor->arming)
        return EXIT_FAULT;
    return lock_take(&monitor->lock, target, start);
}

int monitor_open(struct source_start *start, struct monitor **found)
{
    struct monitor *monitor = calloc(1, sizeof(*monitor));
    int status;

    if (!monitor) {
        bridge_log(LOG_ERR, "out of memory");
        return EXIT_FAULT;
    }
    monitor->target.xen.epoll = monitor->ring.port = -1;
    monitor->lock = LOCK_NONE;
    status = open_parts(monitor, start);
    if (status) {
        (void)monitor_close(monitor);
        return status;
    }
    pause_let_run(&monitor->target, &monitor->lock);
    *found = monitor;
    return 0;
}

int monitor_close(struct monitor *monitor)
{
    bool left_behind = monitor->left_behind;

    if (left_behind)
        ring_detach(&monitor->ring);
    lock_release(&monitor->lock);
    handles_close(&monitor->target.xen);
    quiesce_close(&monitor->quiesce);
    free(monitor->arming);
    free(monitor);
    return left_behind ? EXIT_LEFT_BEHIND : 0;
}
