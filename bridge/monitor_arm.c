/* SPDX-License-Identifier: MIT */
/*
 * monitor_arm.c: which events the domain raises.
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

#include "monitor_arming.h"

#define NS_PER_MS UINT64_C(1000000)

/* A slice ends with the first of these. */
#define SLICE_NS    (4 * NS_PER_MS)
#define SLICE_STEPS 64
/* Frames of one subscription: 64 GiB. */
#define MAX_FRAMES (UINT64_C(1) << 24)

int monitor_allocate_arming(struct monitor *monitor)
{
    monitor->arming = calloc(1, sizeof(*monitor->arming));
    if (monitor->arming)
        return 0;
    log_line(LOG_ERR, "out of memory");
    return EXIT_FAULT;
}

/* ------------------------------------------------------------- slices -- */

/* Page walks count unless a spec wants them; see xc_monitor_*pagefault(). */
static void suppress_walks(struct monitor *monitor)
{
    bool suppress = false;

    for (unsigned int i = 0; i < monitor->nr_specs; i++) {
        if (monitor->specs[i].reason != XEN_VM_RING_REASON_MEM_ACCESS)
            continue;
        suppress = true;
        if (monitor->specs[i].flags & VMRING_SPEC_FAULTS) {
            suppress = false;
            break;
        }
    }
    if (suppress != monitor->walks_suppressed &&
        xc_monitor_inguest_pagefault(monitor->xch, monitor->domid, suppress) ==
            0)
        monitor->walks_suppressed = suppress;
}

static void be_done(struct arming *arming)
{
    arming->busy = arming->withholds = false;
    arming->results = NULL;
}

static void finish(struct monitor *monitor)
{
    suppress_walks(monitor);
    be_done(monitor->arming);
}

/* The domain has ended, and what was armed in it. */
static void forget(struct monitor *monitor)
{
    struct arming *arming = monitor->arming;

    for (unsigned int i = 0; arming->results && i < monitor->nr_specs; i++)
        arming->results[i] = VMRING_SPEC_FAILED;
    if (arming->results && monitor->nr_specs)
        monitor_say(arming->error, arming->error_len, &monitor->specs[0],
                    "cannot be armed: the domain has ended");
    monitor->nr_specs = arming->nr_armed = 0;
    ranges_forget(&arming->ranges);
    be_done(arming);
}

static void take_a_slice(struct monitor *monitor, uint64_t began)
{
    uint64_t took = 0;

    monitor_disturb(monitor);
    for (int i = 0;
         i < SLICE_STEPS && took < SLICE_NS && monitor_has_step(monitor); i++) {
        monitor_step(monitor);
        took = monitor_now() - began;
    }
    monitor->arming->next_slice =
        began + took + (took > NS_PER_MS / 2 ? 2 * took : NS_PER_MS);
}

int monitor_arm_turn(struct monitor *monitor)
{
    struct arming *arming = monitor->arming;
    uint64_t now;

    if (!arming->busy)
        return SOURCE_WAIT;
    now = monitor_now();
    if (!monitor->page)
        forget(monitor);
    else if (now >= arming->next_slice)
        take_a_slice(monitor, now);
    /* What changes nothing is done at once, however often it is asked for. */
    if (arming->busy && !monitor_has_step(monitor))
        finish(monitor);
    if (!arming->busy)
        return SOURCE_WAIT;
    now = monitor_now();
    if (now >= arming->next_slice)
        return 0;
    return (int)((arming->next_slice - now + NS_PER_MS - 1) / NS_PER_MS);
}

int monitor_is_arming(void *ctx)
{
    const struct monitor *monitor = ctx;

    return monitor->arming->busy;
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

bool monitor_withholds(const struct monitor *monitor,
                       const struct xen_vm_ring_event *event)
{
    const struct arming *arming = monitor->arming;

    if (!arming->withholds)
        return false;
    for (unsigned int i = 0; i < arming->nr_before; i++) {
        if (tells_of(&arming->before[i], event))
            return false;
    }
    return true;
}

/* ------------------------------------------------------- what is asked -- */

/* As monitor_refuse(), of what all of them come to. */
static const char *refuse_size(const struct vmring_spec *specs, unsigned int i,
                               int *result)
{
    uint64_t frames = 0;

    if (specs[i].reason != XEN_VM_RING_REASON_MEM_ACCESS)
        return NULL;
    for (unsigned int k = 0; k <= i; k++) {
        if (specs[k].reason == XEN_VM_RING_REASON_MEM_ACCESS)
            frames += specs[k].last - specs[k].first + 1;
    }
    if (frames <= MAX_FRAMES)
        return NULL;
    *result = VMRING_SPEC_FAILED;
    return "makes more than 16777216 frames together; give smaller ranges";
}

static bool refused(struct monitor *monitor, const struct vmring_spec *specs,
                    unsigned int nr, int *results, char *error,
                    size_t error_len)
{
    bool any = false;

    for (unsigned int i = 0; i < nr; i++) {
        const char *why = "cannot be armed: the domain has ended";

        results[i] = VMRING_SPEC_FAILED;
        if (monitor->page) {
            why = monitor_refuse(monitor, specs, i, &results[i]);
            if (!why)
                why = refuse_size(specs, i, &results[i]);
        }
        if (why && !any)
            monitor_say(error, error_len, &specs[i], why);
        any = any || why;
    }
    return any;
}

void monitor_subscribe(void *ctx, const struct vmring_spec *specs,
                       unsigned int nr, int *results, char *error,
                       size_t error_len)
{
    struct monitor *monitor = ctx;
    struct arming *arming = monitor->arming;

    /* Who asks for more waits until it is done (control.c). */
    assert(nr == 0 || (!arming->busy && nr <= VMRING_MAX_SPECS));
    arming->results = NULL;
    if (refused(monitor, specs, nr, results, error, error_len))
        nr = 0;
    if (!monitor->page) {
        forget(monitor);
        return;
    }
    ranges_want(&arming->ranges, specs, nr);
    if (nr) {
        arming->results = results;
        arming->error = error;
        arming->error_len = error_len;
        memcpy(arming->before, monitor->specs, sizeof(arming->before));
        arming->nr_before = monitor->nr_specs;
        memcpy(monitor->specs, specs, nr * sizeof(*specs));
        for (unsigned int i = 0; i < nr; i++)
            monitor_say_left_out(monitor, &specs[i]);
    }
    arming->withholds = nr > 0;
    monitor->nr_specs = nr;
    arming->busy = true;
    arming->complained = false;
    (void)monitor_arm_turn(monitor);
}

/* ----------------------------------------------------------------- deny -- */

static void set_deny(struct monitor *monitor)
{
    struct arming *arming = monitor->arming;
    int rc;

    if (monitor->deny_set || !monitor->page)
        return;
    rc = monitor_defer_writes(monitor);
    if (rc < 0) {
        log_line(LOG_WARNING, "Xen cannot deny register writes: %s",
                 strerror(-rc));
        return;
    }
    monitor->deny_set = true;
    /* What a predecessor has left armed asynchronous would be deferred. */
    for (unsigned int i = 0; i < arming->nr_armed; i++) {
        const struct vmring_spec *spec = &arming->armed[i];

        if (spec->reason != XEN_VM_RING_REASON_WRITE_CTRLREG ||
            !monitor_is_async(spec))
            continue;
        rc = monitor_arm_again(monitor, spec);
        if (rc < 0)
            log_line(LOG_ERR, "cannot arm a control register again: %s",
                     strerror(-rc));
    }
}

void monitor_attached(void *ctx, int attached, uint32_t verdicts)
{
    struct monitor *monitor = ctx;

    monitor->deny_granted =
        attached && (verdicts & XEN_VM_RING_VERDICT_DENY) != 0;
    if (monitor->deny_granted)
        set_deny(monitor);
}

bool monitor_delivers_async(const struct monitor *monitor,
                            const struct xen_vm_ring_event *event)
{
    if (event->reason == XEN_VM_RING_REASON_WRITE_CTRLREG)
        return monitor->async_ctrlregs >> (event->u.write_ctrlreg.index & 31) &
               1;
    return monitor->async_reasons >> event->reason & 1;
}
