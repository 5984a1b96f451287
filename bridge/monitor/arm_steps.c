/* SPDX-License-Identifier: MIT */
/* arm_steps.c: from what is armed to what is wanted, step by step. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../libvmring/base/frames.h"
#include "../log.h"
#include "arm_steps.h"
#include "monitor_calls.h"
#include "support.h"
#include "xen_checks.h"

/* -------------------------------------------------------- one by one -- */

static void note_delivery(struct arming *arming, const struct vmring_spec *spec)
{
    uint32_t *mask = &arming->async_reasons;
    uint32_t bit = 1u << spec->reason;

    if (spec->reason == XEN_VM_RING_REASON_WRITE_CTRLREG) {
        mask = &arming->async_ctrlregs;
        bit = 1u << (spec->first & 31);
    }
    *mask = calls_is_async(spec) ? *mask | bit : *mask & ~bit;
}

static int arm(struct arming *arming, const struct vmring_spec *spec)
{
    int rc;

    note_delivery(arming, spec);
    rc = calls_set_event(arming->target, spec, true, arming->defers);
    if (rc == -EEXIST) {
        /* Armed by a program that left it so. */
        calls_set_event(arming->target, spec, false, arming->defers);
        rc = calls_set_event(arming->target, spec, true, arming->defers);
    }
    return rc;
}

/* One line is enough: there may be thousands. */
static void cannot_disarm(struct arming *arming, const char *what, int error)
{
    if (error == EEXIST || error == ESRCH || arming->complained)
        return;
    arming->complained = true;
    bridge_log(LOG_ERR, "cannot disarm %s: %s", what, strerror(error));
}

static void disarm(struct arming *arming, const struct vmring_spec *spec)
{
    int rc = calls_set_event(arming->target, spec, false, arming->defers);
    char text[128] = "";

    if (rc == 0)
        return;
    vmring_spec_format(spec, text, sizeof(text));
    cannot_disarm(arming, text, -rc);
}

int arm_again(struct arming *arming, const struct vmring_spec *spec)
{
    disarm(arming, spec);
    return arm(arming, spec);
}

/* ----------------------------------------------------- all or nothing -- */

void arm_blame(char *error, size_t error_len, const struct vmring_spec *spec,
               const char *why)
{
    char text[128] = "event";

    vmring_spec_format(spec, text, sizeof(text));
    if (error && error_len)
        snprintf(error, error_len, "%s %s", text, why);
}

static bool is_same(const struct vmring_spec *a, const struct vmring_spec *b)
{
    return a->reason == b->reason && calls_is_async(a) == calls_is_async(b) &&
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
static void fail(struct arming *arming, unsigned int which, int error)
{
    if (arming->results) {
        arming->results[which] = VMRING_SPEC_FAILED;
        arm_blame(arming->error, arming->error_len, &arming->specs[which],
                  strerror(error));
    }
    arming->nr_specs = arming->nr_before = 0;
    ranges_want(&arming->ranges, NULL, 0);
    /* It may have ended. */
    arming->target->looked_at = 0;
}

/* Which spec wants this MSR or frame? */
static unsigned int wanted_by(const struct arming *arming, unsigned int reason,
                              uint64_t number)
{
    unsigned int i = 0;

    while (i + 1 < arming->nr_specs && !(arming->specs[i].reason == reason &&
                                         number >= arming->specs[i].first &&
                                         number <= arming->specs[i].last))
        i++;
    return i;
}

/* --------------------------------------------- steps, each of few calls -- */

static bool next_to_disarm(const struct arming *arming, unsigned int *i)
{
    for (*i = 0; *i < arming->nr_armed; ++*i) {
        if (!is_listed(&arming->armed[*i], arming->specs, arming->nr_specs))
            return true;
    }
    return false;
}

static bool next_to_arm(const struct arming *arming, unsigned int *i)
{
    for (*i = 0; *i < arming->nr_specs; ++*i) {
        if (!support_is_range(&arming->specs[*i]) &&
            !is_listed(&arming->specs[*i], arming->armed, arming->nr_armed))
            return true;
    }
    return false;
}

bool arm_is_left(struct arming *arming)
{
    struct ranges *ranges = &arming->ranges;
    enum msr_watch from, to;
    uint64_t first, last;
    unsigned int any;
    uint32_t msr;

    return next_to_disarm(arming, &any) || next_to_arm(arming, &any) ||
           ranges_next_msr(ranges, &msr, &from, &to) ||
           ranges_next_frames(ranges, 1, &first, &last, &any);
}

/* The following return false if there is nothing for them to do. */

static bool disarm_an_event(struct arming *arming)
{
    unsigned int i;

    if (!next_to_disarm(arming, &i))
        return false;
    disarm(arming, &arming->armed[i]);
    arming->armed[i] = arming->armed[--arming->nr_armed];
    return true;
}

static bool set_an_msr(struct arming *arming)
{
    struct ranges *ranges = &arming->ranges;
    enum msr_watch from, to;
    uint32_t msr;
    int rc;

    if (!ranges_next_msr(ranges, &msr, &from, &to))
        return false;
    if (!xen_check_msr(msr)) {
        ranges_msr_is(ranges, msr, to);
        return true;
    }
    if (from != MSR_OFF) {
        rc = calls_set_msr(arming->target, arming->lock, msr, false, false);
        if (rc < 0)
            cannot_disarm(arming, "an MSR", -rc);
        ranges_msr_is(ranges, msr, MSR_OFF);
        return true;
    }
    rc = calls_set_msr(arming->target, arming->lock, msr, true,
                       to == MSR_ONCHANGE);
    if (rc == -EEXIST) {
        calls_set_msr(arming->target, arming->lock, msr, false, false);
        rc = calls_set_msr(arming->target, arming->lock, msr, true,
                           to == MSR_ONCHANGE);
    }
    if (rc < 0)
        fail(arming, wanted_by(arming, XEN_VM_RING_REASON_MOV_TO_MSR, msr),
             -rc);
    else
        ranges_msr_is(ranges, msr, to);
    return true;
}

static bool set_some_frames(struct arming *arming)
{
    struct ranges *ranges = &arming->ranges;
    unsigned int watched;
    uint64_t first, last;
    int rc;

    if (!ranges_next_frames(ranges, FRAMES_PER_CALL, &first, &last, &watched))
        return false;
    rc = calls_set_frames(arming->target, first, last, watched);
    /* After a failure, too, some of them are. */
    ranges_frames_are(ranges, last);
    if (rc < 0 && watched)
        fail(arming, wanted_by(arming, XEN_VM_RING_REASON_MEM_ACCESS, first),
             -rc);
    else if (rc < 0)
        cannot_disarm(arming, "frames", -rc);
    return true;
}

static bool arm_an_event(struct arming *arming)
{
    unsigned int i;
    int rc;

    if (!next_to_arm(arming, &i))
        return false;
    rc = arm(arming, &arming->specs[i]);
    if (rc < 0)
        fail(arming, i, -rc);
    else
        arming->armed[arming->nr_armed++] = arming->specs[i];
    return true;
}

void arm_step(struct arming *arming)
{
    (void)(disarm_an_event(arming) || set_an_msr(arming) ||
           set_some_frames(arming) || arm_an_event(arming));
}
