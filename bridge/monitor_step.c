/* SPDX-License-Identifier: MIT */
/* monitor_step.c: from what is armed to what is wanted, step by step. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "monitor_arming.h"

/* Frames of one call, in which Xen holds a lock that each vCPU may need. */
#define CALL_FRAMES 64

/* -------------------------------------------------------- one by one -- */

static void note_delivery(struct monitor *monitor,
                          const struct vmring_spec *spec)
{
    uint32_t *mask = &monitor->async_reasons;
    uint32_t bit = 1u << spec->reason;

    if (spec->reason == XEN_VM_RING_REASON_WRITE_CTRLREG) {
        mask = &monitor->async_ctrlregs;
        bit = 1u << (spec->first & 31);
    }
    *mask = monitor_is_async(spec) ? *mask | bit : *mask & ~bit;
}

static int arm(struct monitor *monitor, const struct vmring_spec *spec)
{
    int rc;

    note_delivery(monitor, spec);
    rc = monitor_set_event(monitor, spec, true);
    if (rc < 0 && errno == EEXIST) {
        /* Armed by somebody who did not clean up behind himself. */
        monitor_set_event(monitor, spec, false);
        rc = monitor_set_event(monitor, spec, true);
    }
    return rc < 0 ? -errno : 0;
}

/* One line is enough: there may be thousands. */
static void cannot_disarm(struct monitor *monitor, const char *what)
{
    if (errno == EEXIST || errno == ESRCH || monitor->arming->complained)
        return;
    monitor->arming->complained = true;
    log_line(LOG_ERR, "cannot disarm %s: %s", what, strerror(errno));
}

static void disarm(struct monitor *monitor, const struct vmring_spec *spec)
{
    char text[128] = "";

    if (monitor_set_event(monitor, spec, false) >= 0)
        return;
    vmring_spec_format(spec, text, sizeof(text));
    cannot_disarm(monitor, text);
}

int monitor_arm_again(struct monitor *monitor, const struct vmring_spec *spec)
{
    disarm(monitor, spec);
    return arm(monitor, spec);
}

/* ----------------------------------------------------- all or nothing -- */

void monitor_say(char *error, size_t error_len, const struct vmring_spec *spec,
                 const char *why)
{
    char text[128] = "event";

    vmring_spec_format(spec, text, sizeof(text));
    if (error && error_len)
        snprintf(error, error_len, "%s %s", text, why);
}

static bool is_same(const struct vmring_spec *a, const struct vmring_spec *b)
{
    return a->reason == b->reason &&
           monitor_is_async(a) == monitor_is_async(b) &&
           a->access == b->access && a->flags == b->flags &&
           a->first == b->first && a->last == b->last;
}

static bool is_listed(const struct vmring_spec *spec,
                      const struct vmring_spec *specs, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++) {
        if (is_same(spec, &specs[i]))
            return true;
    }
    return false;
}

/* The first failure decides: nothing stays armed, and the consumer hears why.
 */
static void fail(struct monitor *monitor, unsigned int which, int error)
{
    struct arming *arming = monitor->arming;

    if (arming->results) {
        arming->results[which] = VMRING_SPEC_FAILED;
        monitor_say(arming->error, arming->error_len, &monitor->specs[which],
                    strerror(error));
    }
    monitor->nr_specs = arming->nr_before = 0;
    ranges_want(&arming->ranges, NULL, 0);
    /* It may have ended. */
    monitor->looked_at = 0;
}

/* Which spec wants this MSR or frame? */
static unsigned int wanted_by(const struct monitor *monitor,
                              unsigned int reason, uint64_t number)
{
    unsigned int i = 0;

    while (i + 1 < monitor->nr_specs && !(monitor->specs[i].reason == reason &&
                                          number >= monitor->specs[i].first &&
                                          number <= monitor->specs[i].last))
        i++;
    return i;
}

/* --------------------------------------------- steps, each of few calls -- */

static bool next_to_disarm(const struct monitor *monitor, unsigned int *i)
{
    const struct arming *arming = monitor->arming;

    for (*i = 0; *i < arming->nr_armed; ++*i) {
        if (!is_listed(&arming->armed[*i], monitor->specs, monitor->nr_specs))
            return true;
    }
    return false;
}

static bool next_to_arm(const struct monitor *monitor, unsigned int *i)
{
    const struct arming *arming = monitor->arming;

    for (*i = 0; *i < monitor->nr_specs; ++*i) {
        if (!monitor_is_range(&monitor->specs[*i]) &&
            !is_listed(&monitor->specs[*i], arming->armed, arming->nr_armed))
            return true;
    }
    return false;
}

bool monitor_has_step(struct monitor *monitor)
{
    struct ranges *ranges = &monitor->arming->ranges;
    enum msr_watch from, to;
    uint64_t first, last;
    unsigned int any;
    uint32_t msr;

    return next_to_disarm(monitor, &any) || next_to_arm(monitor, &any) ||
           ranges_next_msr(ranges, &msr, &from, &to) ||
           ranges_next_frames(ranges, 1, &first, &last, &any);
}

/* The following return false if there is nothing for them to do. */

static bool disarm_an_event(struct monitor *monitor)
{
    struct arming *arming = monitor->arming;
    unsigned int i;

    if (!next_to_disarm(monitor, &i))
        return false;
    disarm(monitor, &arming->armed[i]);
    arming->armed[i] = arming->armed[--arming->nr_armed];
    return true;
}

static bool set_an_msr(struct monitor *monitor)
{
    struct ranges *ranges = &monitor->arming->ranges;
    enum msr_watch from, to;
    uint32_t msr;
    int rc;

    if (!ranges_next_msr(ranges, &msr, &from, &to))
        return false;
    if (!monitor_bears_msr(msr)) {
        ranges_msr_is(ranges, msr, to);
        return true;
    }
    if (from != MSR_OFF) {
        if (monitor_set_msr(monitor, msr, false, false) < 0)
            cannot_disarm(monitor, "an MSR");
        ranges_msr_is(ranges, msr, MSR_OFF);
        return true;
    }
    rc = monitor_set_msr(monitor, msr, true, to == MSR_ONCHANGE);
    if (rc < 0 && errno == EEXIST) {
        monitor_set_msr(monitor, msr, false, false);
        rc = monitor_set_msr(monitor, msr, true, to == MSR_ONCHANGE);
    }
    if (rc < 0)
        fail(monitor, wanted_by(monitor, XEN_VM_RING_REASON_MOV_TO_MSR, msr),
             errno);
    else
        ranges_msr_is(ranges, msr, to);
    return true;
}

static bool set_some_frames(struct monitor *monitor)
{
    struct ranges *ranges = &monitor->arming->ranges;
    unsigned int watched;
    uint64_t first, last;
    int rc;

    if (!ranges_next_frames(ranges, CALL_FRAMES, &first, &last, &watched))
        return false;
    rc = monitor_set_frames(monitor, first, last, watched);
    /* After a failure, too, some of them are. */
    ranges_frames_are(ranges, last);
    if (rc < 0 && watched)
        fail(monitor, wanted_by(monitor, XEN_VM_RING_REASON_MEM_ACCESS, first),
             errno);
    else if (rc < 0)
        cannot_disarm(monitor, "frames");
    return true;
}

static bool arm_an_event(struct monitor *monitor)
{
    struct arming *arming = monitor->arming;
    unsigned int i;
    int rc;

    if (!next_to_arm(monitor, &i))
        return false;
    rc = arm(monitor, &monitor->specs[i]);
    if (rc < 0)
        fail(monitor, i, -rc);
    else
        arming->armed[arming->nr_armed++] = monitor->specs[i];
    return true;
}

void monitor_step(struct monitor *monitor)
{
    (void)(disarm_an_event(monitor) || set_an_msr(monitor) ||
           set_some_frames(monitor) || arm_an_event(monitor));
}
