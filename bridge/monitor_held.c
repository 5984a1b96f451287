/* SPDX-License-Identifier: MIT */
/*
 * monitor_held.c: the domain is paused for a moment, and runs again even if
 * this process is killed in that moment: whoever comes unpauses it.
 */
#include <errno.h>
#include <string.h>

#include "monitor.h"

static bool is_paused(struct monitor *monitor)
{
    struct domain_info info;

    return monitor_get_info(monitor, &info) == 0 && info.paused;
}

static void note_held(struct monitor *monitor, bool held)
{
    monitor->held = held;
    monitor_note_held(monitor);
}

/*
 * Whoever comes after us unpauses what is noted, if it is paused.  So a domain
 * that ran is noted before it is paused, and until it runs: killed at any
 * moment, we leave none paused.  One that somebody else has paused is noted
 * only while it is paused by us too, so that it does not run without him.
 */
int monitor_hold(struct monitor *monitor)
{
    monitor->ran = !is_paused(monitor);
    if (monitor->ran)
        note_held(monitor, true);
    if (xc_domain_pause(monitor->xch, monitor->domid) < 0) {
        int error = errno;

        note_held(monitor, false);
        errno = error;
        return -1;
    }
    if (!monitor->ran)
        note_held(monitor, true);
    return 0;
}

void monitor_cannot_unpause(const struct monitor *monitor)
{
    /* Xen has no pause of ours any more: so it says when it has none. */
    if (errno == EINVAL)
        log_line(LOG_WARNING,
                 "somebody has unpaused %s while it was held paused; it runs",
                 monitor->name);
    else if (errno != ESRCH)
        log_line(LOG_ERR, "cannot unpause %s: %s; 'xl unpause' it",
                 monitor->name, strerror(errno));
}

void monitor_release(struct monitor *monitor)
{
    if (!monitor->ran)
        note_held(monitor, false);
    if (xc_domain_unpause(monitor->xch, monitor->domid) < 0)
        monitor_cannot_unpause(monitor);
    if (monitor->ran)
        note_held(monitor, false);
}

void monitor_let_run(struct monitor *monitor)
{
    if (!monitor->held)
        return;
    if (is_paused(monitor) &&
        xc_domain_unpause(monitor->xch, monitor->domid) == 0)
        log_line(LOG_NOTICE,
                 "%s was held paused by a bridge that was killed: unpaused",
                 monitor->name);
    note_held(monitor, false);
}
