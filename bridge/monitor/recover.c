/* SPDX-License-Identifier: MIT */
/*
 * recover_domain.c: what can be done for a domain whose bridge was killed.
 *
 * Its vCPUs that wait for a verdict wait for ever, and the page of the ring
 * that they asked on is out of reach.  If none of them sleeps in Xen's queue
 * for room, the ring can be disabled, which also disarms everything; and the
 * vCPUs let go by answers on a ring of our own, which nobody has asked.  Such
 * answers spoil the ring for anything else, so there is another one for every
 * eight.  What the vCPUs waited for is lost: the registers that a verdict
 * would have set, or that a CPUID has half set, and writes that were put off.
 *
 * If a vCPU does sleep in the queue, Xen never lets go of the ring.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../exit_status.h"
#include "../log.h"
#include "native_ring.h"
#include "open.h"
#include "other_consumer.h"
#include "recover.h"

/* A vCPU that gets no further in this time is taken to wait. */
#define LOOKS   40
#define LOOK_US 5000
/* An instruction may have raised more events than one. */
#define MAX_ROUNDS 4

/* -------------------------------------------------------- who waits? -- */

/* Nothing is armed, so none of them begins to wait now. */
static unsigned int find_waiting(struct monitor *monitor, bool *waits)
{
    unsigned int nr = 0;
    xc_vcpuinfo_t info;

    for (unsigned int i = 0; i < monitor->target.nr_vcpus; i++) {
        waits[i] = target_get_vcpu(&monitor->target, i, &info) && info.online;
        monitor->quiesce.started[i] = info.cpu_time;
    }
    for (unsigned int look = 0; look < LOOKS; look++) {
        usleep(LOOK_US);
        for (unsigned int i = 0; i < monitor->target.nr_vcpus; i++) {
            if (waits[i])
                waits[i] = target_get_vcpu(&monitor->target, i, &info) &&
                           !info.blocked && !info.running &&
                           info.cpu_time == monitor->quiesce.started[i];
        }
    }
    for (unsigned int i = 0; i < monitor->target.nr_vcpus; i++)
        nr += waits[i];
    return nr;
}

/* -------------------------------------------------------- letting go -- */

static int cannot_recover(struct monitor *monitor, int error)
{
    if (error == EBUSY) {
        bridge_log(
            LOG_ERR,
            "%s: vCPUs sleep in the queue of the ring, and Xen never lets "
            "go of it: only destroying the domain frees them",
            monitor->target.name);
        return EXIT_LEFT_BEHIND;
    }
    if (error == ESRCH) {
        bridge_log(LOG_ERR, "%s is gone", monitor->target.name);
        return EXIT_NO_TARGET;
    }
    if (error == ENXIO) {
        bridge_log(LOG_ERR,
                   "%s: this Xen has no legacy ring, so there is none to take "
                   "back",
                   monitor->target.name);
        return EXIT_UNSUPPORTED;
    }
    bridge_log(LOG_ERR, "%s: cannot take the ring back: %s",
               monitor->target.name, strerror(error));
    return EXIT_LEFT_BEHIND;
}

/* Up to eight of those that wait from *next on. */
static int let_some_go(struct monitor *monitor, const bool *waits,
                       unsigned int *next)
{
    int status = ring_enable(&monitor->ring);

    if (status)
        return status;
    for (int nr = 0;
         *next < monitor->target.nr_vcpus && nr < LEGACY_RING_ENTRIES;
         (*next)++) {
        if (!waits[*next])
            continue;
        legacy_ring_release(&monitor->ring.legacy, *next);
        nr++;
    }
    if (legacy_ring_publish(&monitor->ring.legacy) &&
        xenevtchn_notify(monitor->target.xen.xce,
                         (evtchn_port_t)monitor->ring.port) < 0)
        bridge_log(LOG_ERR, "cannot notify Xen: %s", strerror(errno));
    status = ring_disable(&monitor->ring);
    return status < 0 ? cannot_recover(monitor, -status) : 0;
}

/* *nr gets how many were let go, *left how many wait even so. */
static int let_go(struct monitor *monitor, bool *waits, unsigned int *nr,
                  unsigned int *left)
{
    int status = 0;

    *nr = *left = find_waiting(monitor, waits);
    for (int round = 0; *left && round < MAX_ROUNDS && !status; round++) {
        for (unsigned int next = 0; next < monitor->target.nr_vcpus && !status;)
            status = let_some_go(monitor, waits, &next);
        *left = find_waiting(monitor, waits);
    }
    return status;
}

static int take_back(struct monitor *monitor)
{
    bool *waits = calloc(monitor->target.nr_vcpus, sizeof(*waits));
    unsigned int nr = 0, left = 0;
    int status, error;

    if (!waits) {
        bridge_log(LOG_ERR, "out of memory");
        return EXIT_FAULT;
    }
    error = ring_take_back(&monitor->ring);
    if (error == -EINVAL && has_native_ring(&monitor->target)) {
        status = EXIT_BUSY;
    } else if (error == -EINVAL) {
        target_look(&monitor->target);
        bridge_log(LOG_NOTICE, "%s has no ring: there is nothing to recover%s",
                   monitor->target.name,
                   monitor->target.state == XEN_VM_RING_TARGET_PAUSED
                       ? "; the domain is paused"
                       : "");
        status = EXIT_AS_ASKED;
    } else if (error < 0) {
        status = cannot_recover(monitor, -error);
    } else {
        status = let_go(monitor, waits, &nr, &left);
        if (!status) {
            target_look(&monitor->target);
            bridge_log(LOG_WARNING,
                       "%s: the ring is free again; vCPUs that were let go "
                       "without what they waited for: %u%s",
                       monitor->target.name, nr,
                       monitor->target.state == XEN_VM_RING_TARGET_PAUSED
                           ? "; the domain is paused"
                       : left ? "; not all of them run yet"
                              : "");
            status = EXIT_RECOVERED;
        }
    }
    free(waits);
    return status;
}

int recover_domain(const char *target, bool forced)
{
    struct source_start start = {.target = target};
    struct monitor *monitor;
    int status = monitor_open(&start, &monitor);

    if (status)
        return status;
    if (!forced && has_other_consumer(&monitor->target)) {
        bridge_log(LOG_ERR,
                   "%s: a program here listens to Xen about it: end it, if it "
                   "consumes vm_events; if it is only the device model, or a "
                   "driver's back end, say --recover=force",
                   monitor->target.name);
        status = EXIT_BUSY;
    } else {
        status = take_back(monitor);
    }
    (void)monitor_close(monitor);
    return status;
}
