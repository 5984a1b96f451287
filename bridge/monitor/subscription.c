/* SPDX-License-Identifier: MIT */
/*
 * subscription.c: which events the domain raises.
 *
 * Each call that arms or disarms stops every vCPU for a moment, and there can
 * be tens of thousands of them: so they are made in slices, one a turn of the
 * bridge's loop, and the guest has twice as long between two slices as one
 * takes.  Until all is armed, what is armed anew reports nothing: its consumer
 * still waits to hear of it, and would let its vCPUs wait.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../libvmring/base/clock.h"
#include "../../libvmring/base/frames.h"
#include "../log.h"
#include "../source.h"
#include "arm_steps.h"
#include "monitor_calls.h"
#include "subscription.h"
#include "xen_checks.h"

#define NS_PER_MS UINT64_C(1000000)

/* A slice ends with the first of these. */
#define SLICE_NS    (4 * NS_PER_MS)
#define SLICE_STEPS 64

struct arming *subscription_open(struct ring *ring)
{
    struct arming *arming = calloc(1, sizeof(*arming));

    if (!arming) {
        bridge_log(LOG_ERR, "out of memory");
        return NULL;
    }
    arming->target = ring->target;
    arming->lock = ring->lock;
    arming->ring = ring;
    arming->quiesce = ring->quiesce;
    return arming;
}

/* ------------------------------------------------------------- slices -- */

/* Page walks count unless a spec wants them; see xc_monitor_*pagefault(). */
static void suppress_walks(struct arming *arming)
{
    bool suppress = frames_suppress_walks(arming->specs, arming->nr_specs);

    if (suppress != arming->walks_suppressed &&
        xc_monitor_inguest_pagefault(arming->target->xen.xch,
                                     arming->target->domid, suppress) == 0)
        arming->walks_suppressed = suppress;
}

static void be_done(struct arming *arming)
{
    arming->busy = arming->withholds = false;
    arming->results = NULL;
}

static void finish(struct arming *arming)
{
    suppress_walks(arming);
    be_done(arming);
}

/* The domain has ended, and what was armed in it. */
static void forget(struct arming *arming)
{
    for (unsigned int i = 0; arming->results && i < arming->nr_specs; i++)
        arming->results[i] = VMRING_SPEC_FAILED;
    if (arming->results && arming->nr_specs)
        arm_blame(arming->error, arming->error_len, &arming->specs[0],
                  "cannot be armed: the domain has ended");
    arming->nr_specs = arming->nr_armed = 0;
    ranges_forget(&arming->ranges);
    be_done(arming);
}

static void take_a_slice(struct arming *arming, uint64_t began)
{
    uint64_t took = 0;

    quiesce_disturb(arming->quiesce);
    for (int i = 0; i < SLICE_STEPS && took < SLICE_NS && arm_is_left(arming);
         i++) {
        arm_step(arming);
        took = clock_ns() - began;
    }
    arming->next_slice =
        began + took + (took > NS_PER_MS / 2 ? 2 * took : NS_PER_MS);
}

int subscription_turn(struct arming *arming)
{
    uint64_t now;

    if (!arming->busy)
        return SOURCE_WAIT;
    now = clock_ns();
    if (!arming->ring->page)
        forget(arming);
    else if (now >= arming->next_slice)
        take_a_slice(arming, now);
    /* A subscription that changes nothing is done at once. */
    if (arming->busy && !arm_is_left(arming))
        finish(arming);
    if (!arming->busy)
        return SOURCE_WAIT;
    now = clock_ns();
    if (now >= arming->next_slice)
        return 0;
    return (int)((arming->next_slice - now + NS_PER_MS - 1) / NS_PER_MS);
}

static bool tells_of(const struct vmring_spec *spec,
                     const struct xen_vm_ring_event *event)
{
    uint64_t number = spec->first;

    if (event->reason != spec->reason)
        return false;
    if (event->reason == XEN_VM_RING_REASON_WRITE_CTRLREG)
        number = event->u.write_ctrlreg.index;
    else if (event->reason == XEN_VM_RING_REASON_MOV_TO_MSR)
        number = event->u.mov_to_msr.msr;
    else if (event->reason == XEN_VM_RING_REASON_MEM_ACCESS)
        number = event->u.mem_access.gfn;
    return number >= spec->first &&
           (number == spec->first || number <= spec->last);
}

bool subscription_withholds(const struct arming *arming,
                            const struct xen_vm_ring_event *event)
{
    if (!arming->withholds)
        return false;
    for (unsigned int i = 0; i < arming->nr_before; i++) {
        if (tells_of(&arming->before[i], event))
            return false;
    }
    return true;
}

/* ------------------------------------------------------- what is asked -- */

/* As xen_check_spec(), of what all of them come to. */
static const char *too_many(const struct vmring_spec *specs, unsigned int i,
                            int *result)
{
    const char *why = frames_refuse_sum(specs, i);

    if (why)
        *result = VMRING_SPEC_FAILED;
    return why;
}

static bool refused(struct arming *arming, const struct vmring_spec *specs,
                    unsigned int nr, int *results, char *error,
                    size_t error_len)
{
    bool any = false;

    for (unsigned int i = 0; i < nr; i++) {
        const char *why = "cannot be armed: the domain has ended";
        char text[128];

        results[i] = VMRING_SPEC_FAILED;
        if (arming->ring->page) {
            why = xen_check_spec(arming->target, specs, i, &results[i], text,
                                 sizeof(text));
            if (!why)
                why = too_many(specs, i, &results[i]);
        }
        if (why && !any)
            arm_blame(error, error_len, &specs[i], why);
        any = any || why;
    }
    return any;
}

/* A line, once. */
static void say_left_out(struct arming *arming, const struct vmring_spec *spec)
{
    if (arming->said_left_out || !xen_check_leaves_out(spec))
        return;
    arming->said_left_out = true;
    bridge_log(
        LOG_NOTICE,
        "%s: the MSRs 0x49, 0x79, 0x10b, 0x80b and 0x83f are left out of "
        "a range: they can be written and not read, and Xen would give "
        "the guest a fault for writing them",
        arming->target->name);
}

void subscription_begin(struct arming *arming, const struct vmring_spec *specs,
                        unsigned int nr, int *results, char *error,
                        size_t error_len)
{
    /* The library asks for nothing more until it is done (producer/control.c).
     */
    assert(nr == 0 || (!arming->busy && nr <= VMRING_MAX_SPECS));
    arming->results = NULL;
    if (refused(arming, specs, nr, results, error, error_len))
        nr = 0;
    if (!arming->ring->page) {
        forget(arming);
        return;
    }
    ranges_want(&arming->ranges, specs, nr);
    if (nr) {
        arming->results = results;
        arming->error = error;
        arming->error_len = error_len;
        memcpy(arming->before, arming->specs, sizeof(arming->before));
        arming->nr_before = arming->nr_specs;
        memcpy(arming->specs, specs, nr * sizeof(*specs));
        for (unsigned int i = 0; i < nr; i++)
            say_left_out(arming, &specs[i]);
    }
    arming->withholds = nr > 0;
    arming->nr_specs = nr;
    arming->busy = true;
    arming->complained = false;
    (void)subscription_turn(arming);
}

/* ----------------------------------------------------------------- deny -- */

static void set_deny(struct arming *arming)
{
    int rc;

    if (arming->defers || !arming->ring->page)
        return;
    rc = calls_defer_writes(arming->target);
    if (rc < 0) {
        bridge_log(LOG_WARNING, "Xen cannot deny register writes: %s",
                   strerror(-rc));
        return;
    }
    arming->defers = true;
    /* Events that a predecessor has left armed asynchronous would be deferred.
     */
    for (unsigned int i = 0; i < arming->nr_armed; i++) {
        const struct vmring_spec *spec = &arming->armed[i];

        if (spec->reason != XEN_VM_RING_REASON_WRITE_CTRLREG ||
            !calls_is_async(spec))
            continue;
        rc = arm_again(arming, spec);
        if (rc < 0)
            bridge_log(LOG_ERR, "cannot arm a control register again: %s",
                       strerror(-rc));
    }
}

void subscription_attached(struct arming *arming, bool attached,
                           uint32_t verdicts)
{
    if (attached && verdicts & XEN_VM_RING_VERDICT_DENY)
        set_deny(arming);
}

bool subscription_delivers_async(const struct arming *arming,
                                 const struct xen_vm_ring_event *event)
{
    if (event->reason == XEN_VM_RING_REASON_WRITE_CTRLREG)
        return arming->async_ctrlregs >> (event->u.write_ctrlreg.index & 31) &
               1;
    return arming->async_reasons >> event->reason & 1;
}
