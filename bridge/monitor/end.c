/* SPDX-License-Identifier: MIT */
/*
 * end.c: leaving the domain unharmed: disarmed, each request answered, each
 * vCPU out of Xen's code for the ring, and only then without the ring.
 */
#include "end.h"
#include "../../libvmring/base/clock.h"
#include "../log.h"

/* How often the user hears what is waited for. */
#define SAY_NS UINT64_C(3000000000)

static bool has_work(struct monitor *monitor)
{
    struct legacy_ring *legacy = &monitor->ring.legacy;

    return monitor->arming->nr_specs != 0 || monitor->arming->busy ||
           (!legacy->broken && legacy_ring_unanswered(legacy));
}

/* vCPUs of a domain that has shut down run no more; a suspended one's may. */
static bool cannot_run(const struct target *target)
{
    return (target->state == XEN_VM_RING_TARGET_SHUTDOWN &&
            !target_is_suspended(target)) ||
           target_is_dead(target);
}

void end_settle(struct monitor *monitor)
{
    struct quiesce *quiesce = &monitor->quiesce;

    if (!monitor->ring.page) {
        quiesce->state = QUIESCE_QUIET;
        return;
    }
    if (has_work(monitor)) {
        quiesce_disturb(quiesce);
        return;
    }
    if (quiesce->state == QUIESCE_QUIET)
        return;
    if (cannot_run(&monitor->target)) {
        quiesce->state = QUIESCE_QUIET;
        return;
    }
    if (!quiesce_turn(quiesce))
        return;
    /* A woken waiter has put its request by now. */
    if (has_work(monitor))
        quiesce_disturb(quiesce);
    else
        quiesce_be_quiet(quiesce);
}

/* -------------------------------------------------------------- the end -- */

static void say_what_is_waited_for(struct monitor *monitor)
{
    struct target *target = &monitor->target;
    uint64_t now = clock_ns();

    if (now - monitor->quiesce.said_at < SAY_NS)
        return;
    monitor->quiesce.said_at = now;
    target_look(target);
    if (target_is_suspended(target))
        bridge_log(
            LOG_WARNING,
            "%s is suspended, so its vCPUs cannot leave the ring: waiting "
            "until it goes on or is destroyed; end me once more to leave "
            "the ring enabled",
            target->name);
    else if (target->state == XEN_VM_RING_TARGET_PAUSED)
        bridge_log(LOG_WARNING,
                   "%s is paused, so its vCPUs cannot leave the ring: waiting; "
                   "'xl unpause %u' it, or end me once more to leave the ring "
                   "enabled",
                   target->name, target->domid);
    else
        bridge_log(LOG_WARNING,
                   "%s: waiting for its vCPUs to leave the ring (%u requests "
                   "unanswered)",
                   target->name, legacy_ring_unanswered(&monitor->ring.legacy));
}

static void unpause(struct monitor *monitor)
{
    struct target *target = &monitor->target;

    if (target->paused)
        xc_domain_unpause(target->xen.xch, target->domid);
    target->paused = false;
    monitor->nr_overdue = 0;
}

static bool give_up(struct monitor *monitor)
{
    bridge_log(LOG_ERR,
               "%s: the ring is left enabled, and only destroying the domain "
               "frees it",
               monitor->target.name);
    monitor->left_behind = true;
    return true;
}

static bool is_held(const struct target *target)
{
    return target->state == XEN_VM_RING_TARGET_PAUSED ||
           target_is_suspended(target);
}

/* A vCPU whose request was lost waits for ever: waiting for it is no use. */
static bool leave_broken(struct monitor *monitor)
{
    quiesce_put_vcpus_back(&monitor->quiesce);
    if (ring_disable(&monitor->ring) < 0)
        return give_up(monitor);
    monitor->left_behind = true;
    return true;
}

bool end_leave(struct monitor *monitor, bool forced)
{
    if (!monitor->ring.page)
        return true;
    if (!monitor->ending) {
        monitor->ending = true;
        monitor->quiesce.said_at = clock_ns();
    }
    unpause(monitor);
    if (target_is_dead(&monitor->target)) {
        ring_detach(&monitor->ring);
        return true;
    }
    if (monitor->ring.legacy.broken && !monitor->arming->busy)
        return leave_broken(monitor);
    end_settle(monitor);
    if (monitor->quiesce.state != QUIESCE_QUIET) {
        say_what_is_waited_for(monitor);
        return forced && is_held(&monitor->target) && give_up(monitor);
    }
    if (ring_disable(&monitor->ring) == 0)
        return true;
    /* Waiters again; Xen has wiped what was armed, and they will put. */
    monitor->stats.busy_disables++;
    quiesce_disturb(&monitor->quiesce);
    return false;
}
