/* SPDX-License-Identifier: MIT */
/*
 * pause.c: the domain is paused for a moment, and runs again even if this
 * process is killed in that moment: the next bridge unpauses it.
 */
#include <errno.h>
#include <string.h>

#include "../log.h"
#include "pause.h"

static bool is_paused(struct target *target)
{
    struct domain_info info;

    return target_get_info(target, &info) == 0 && info.paused;
}

static void note_held(struct lock *lock, bool held)
{
    lock->held = held;
    lock_note_held(lock);
}

/*
 * The next bridge unpauses what is noted, if it is paused.  So a domain
 * that ran is noted before it is paused, and until it runs: killed at any
 * moment, we leave none paused.  One that somebody else has paused is noted
 * only while it is paused by us too, so that the other pause still holds it.
 */
int pause_domain(struct target *target, struct lock *lock)
{
    lock->ran = !is_paused(target);
    if (lock->ran)
        note_held(lock, true);
    if (xc_domain_pause(target->xen.xch, target->domid) < 0) {
        int error = errno;

        note_held(lock, false);
        return -error;
    }
    if (!lock->ran)
        note_held(lock, true);
    return 0;
}

void pause_cannot_unpause(const struct target *target, int error)
{
    /* Xen has no pause of ours any more: so it says when it has none. */
    if (error == EINVAL)
        bridge_log(LOG_WARNING,
                   "somebody has unpaused %s while it was held paused; it runs",
                   target->name);
    else if (error != ESRCH)
        bridge_log(LOG_ERR, "cannot unpause %s: %s; 'xl unpause' it",
                   target->name, strerror(error));
}

void pause_release(struct target *target, struct lock *lock)
{
    if (!lock->ran)
        note_held(lock, false);
    if (xc_domain_unpause(target->xen.xch, target->domid) < 0)
        pause_cannot_unpause(target, errno);
    if (lock->ran)
        note_held(lock, false);
}

void pause_let_run(struct target *target, struct lock *lock)
{
    if (!lock->held)
        return;
    if (is_paused(target) &&
        xc_domain_unpause(target->xen.xch, target->domid) == 0)
        bridge_log(LOG_NOTICE,
                   "%s was held paused by a bridge that was killed: unpaused",
                   target->name);
    note_held(lock, false);
}
