/* SPDX-License-Identifier: MIT */
/*
 * monitor_end.c: when the domain is quiet, and leaving it unharmed.
 *
 * vm_event_disable() frees the ring's structure while a vCPU that has been
 * woken from the ring's queue may still be on its way through it (wait.c:
 * the vCPU resumes inside vm_event_wait_slot()), and drops verdicts that a
 * vCPU has not applied yet (hvm_vm_event_do_resume()).  Both are over once
 * each vCPU has run after the last notification, or is blocked in the guest.
 * A vCPU that has not run since an earlier moment when it was harmless is so
 * still, which is how a domain that was paused before anything was armed can
 * be left.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "monitor.h"

#define NS_PER_MS UINT64_C(1000000)

/* A vCPU that is running now has left Xen's event path after this time. */
#define PASSING_NS (NS_PER_MS)
/* How often the user hears what is waited for. */
#define SAY_NS (3000 * NS_PER_MS)

int monitor_allocate_rest(struct monitor *monitor)
{
    unsigned int nr = monitor->nr_vcpus;

    monitor->harmless = calloc(nr, sizeof(*monitor->harmless));
    monitor->started = calloc(nr, sizeof(*monitor->started));
    monitor->passed = calloc(nr, sizeof(*monitor->passed));
    if (monitor->harmless && monitor->started && monitor->passed)
        return 0;
    log_line(LOG_ERR, "out of memory");
    return EXIT_FAULT;
}

static bool get_vcpu(struct monitor *monitor, unsigned int vcpu,
                     xc_vcpuinfo_t *info)
{
    return xc_vcpu_getinfo(monitor->xch, monitor->domid, vcpu, info) == 0;
}

/* With the domain paused, so that the times stand still. */
void monitor_start_rest(struct monitor *monitor)
{
    xc_vcpuinfo_t info;

    for (unsigned int i = 0; i < monitor->nr_vcpus; i++) {
        if (get_vcpu(monitor, i, &info))
            monitor->harmless[i] = info.cpu_time;
    }
    monitor->rest = QUIET;
}

void monitor_disturb(struct monitor *monitor)
{
    if (monitor->rest == QUIET)
        monitor->restless_at = monitor->said_at = monitor_now();
    monitor->rest = RESTLESS;
}

static bool has_work(struct monitor *monitor)
{
    return monitor->nr_specs != 0 || monitor_is_arming(monitor) ||
           (!monitor->ring.broken && legacy_ring_unanswered(&monitor->ring));
}

/*
 * What verdicts have switched on stays so: Xen's disarming does not end the
 * single-step of a vCPU (hvm_toggle_singlestep() in arch/x86/hvm/hvm.c), in
 * which it takes no interrupt, nor its alternative view of memory.  Not before
 * the last verdict, which may switch it on again.
 */
static void put_vcpus_back(struct monitor *monitor)
{
    for (unsigned int i = 0; monitor->may_step && i < monitor->nr_vcpus; i++)
        xc_domain_debug_control(monitor->xch, monitor->domid,
                                XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF, i);
    if (monitor->may_altp2m)
        xc_altp2m_switch_to_view(monitor->xch, monitor->domid, 0);
    monitor->may_step = monitor->may_altp2m = false;
}

static void start_coming_down(struct monitor *monitor)
{
    xc_vcpuinfo_t info;

    put_vcpus_back(monitor);

    for (unsigned int i = 0; i < monitor->nr_vcpus; i++) {
        monitor->passed[i] = !get_vcpu(monitor, i, &info) || !info.online ||
                             info.blocked ||
                             info.cpu_time == monitor->harmless[i];
        monitor->started[i] = info.cpu_time;
    }
    monitor->rest = COMING_DOWN;
}

static bool has_passed(struct monitor *monitor, unsigned int vcpu)
{
    xc_vcpuinfo_t info;
    uint64_t ran;

    if (!get_vcpu(monitor, vcpu, &info) || !info.online || info.blocked)
        return true;
    ran = info.cpu_time - monitor->started[vcpu];
    return info.running ? ran >= PASSING_NS : ran > 0;
}

static void remember_harmless(struct monitor *monitor)
{
    xc_vcpuinfo_t info;

    for (unsigned int i = 0; i < monitor->nr_vcpus; i++) {
        if (get_vcpu(monitor, i, &info))
            monitor->harmless[i] = info.cpu_time;
    }
}

/* vCPUs of a domain that has shut down run no more; a suspended one's may. */
static bool cannot_run(const struct monitor *monitor)
{
    return (monitor->target_state == XEN_VM_RING_TARGET_SHUTDOWN &&
            !monitor_is_suspended(monitor)) ||
           monitor_is_dead(monitor);
}

static bool is_held(const struct monitor *monitor)
{
    return monitor->target_state == XEN_VM_RING_TARGET_PAUSED ||
           monitor_is_suspended(monitor);
}

void monitor_settle(struct monitor *monitor)
{
    bool all = true;

    if (!monitor->page) {
        monitor->rest = QUIET;
        return;
    }
    if (has_work(monitor)) {
        monitor_disturb(monitor);
        return;
    }
    if (monitor->rest == QUIET)
        return;
    if (cannot_run(monitor)) {
        monitor->rest = QUIET;
        return;
    }
    if (monitor->rest == RESTLESS) {
        start_coming_down(monitor);
        return;
    }
    for (unsigned int i = 0; i < monitor->nr_vcpus; i++) {
        if (!monitor->passed[i])
            monitor->passed[i] = has_passed(monitor, i);
        all = all && monitor->passed[i];
    }
    if (!all)
        return;
    /* A woken waiter has put its request by now. */
    if (has_work(monitor)) {
        monitor_disturb(monitor);
        return;
    }
    remember_harmless(monitor);
    monitor->rest = QUIET;
}

/* -------------------------------------------------------------- the end -- */

static void say_what_is_waited_for(struct monitor *monitor)
{
    uint64_t now = monitor_now();

    if (now - monitor->said_at < SAY_NS)
        return;
    monitor->said_at = now;
    monitor_look_at_target(monitor);
    if (monitor_is_suspended(monitor))
        log_line(LOG_WARNING,
                 "%s is suspended, so its vCPUs cannot leave the ring: waiting "
                 "until it goes on or is destroyed; end me once more to leave "
                 "the ring enabled",
                 monitor->name);
    else if (monitor->target_state == XEN_VM_RING_TARGET_PAUSED)
        log_line(LOG_WARNING,
                 "%s is paused, so its vCPUs cannot leave the ring: waiting; "
                 "'xl unpause %u' it, or end me once more to leave the ring "
                 "enabled",
                 monitor->name, monitor->domid);
    else
        log_line(LOG_WARNING,
                 "%s: waiting for its vCPUs to leave the ring (%u requests "
                 "unanswered)",
                 monitor->name, legacy_ring_unanswered(&monitor->ring));
}

static void unpause(struct monitor *monitor)
{
    if (monitor->paused)
        xc_domain_unpause(monitor->xch, monitor->domid);
    monitor->paused = false;
    monitor->nr_overdue = 0;
}

static int give_up(struct monitor *monitor)
{
    log_line(LOG_ERR,
             "%s: the ring is left enabled, and only destroying the domain "
             "frees it",
             monitor->name);
    monitor->left_behind = true;
    return 1;
}

int monitor_end(void *source, int forced)
{
    struct monitor *monitor = source;

    if (!monitor->page)
        return 1;
    if (!monitor->ending) {
        monitor->ending = true;
        monitor->said_at = monitor_now();
    }
    unpause(monitor);
    if (monitor_is_dead(monitor)) {
        monitor_detach(monitor);
        return 1;
    }
    if (monitor->ring.broken && !monitor_is_arming(monitor)) {
        put_vcpus_back(monitor);
        /* Whose requests were lost waits for ever: nothing to wait for. */
        if (monitor_disable(monitor) < 0)
            return give_up(monitor);
        monitor->left_behind = true;
        return 1;
    }
    monitor_settle(monitor);
    if (monitor->rest != QUIET) {
        say_what_is_waited_for(monitor);
        return forced && is_held(monitor) ? give_up(monitor) : 0;
    }
    if (monitor_disable(monitor) == 0)
        return 1;
    /* Waiters again; Xen has wiped what was armed, and they will put. */
    monitor->stats.busy_disables++;
    monitor_disturb(monitor);
    return 0;
}
