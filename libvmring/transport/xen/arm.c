/* SPDX-License-Identifier: MIT */
/* arm.c: the events that a consumer subscribes to, in a Xen that is asked. */
#define __XEN_TOOLS__ 1
#include "arm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xenctrl.h>

#include "../../base/cpu.h"
#include "../../base/frames.h"
#include "../../base/msrs.h"
#include "../../vmring.h"

#include <xen/domctl.h>

#define NO_EVENT UINT32_MAX

static uint32_t event_of(unsigned int reason)
{
    switch (reason) {
    case XEN_VM_RING_REASON_WRITE_CTRLREG:
        return XEN_DOMCTL_MONITOR_EVENT_WRITE_CTRLREG;
    case XEN_VM_RING_REASON_MOV_TO_MSR:
        return XEN_DOMCTL_MONITOR_EVENT_MOV_TO_MSR;
    case XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT:
        return XEN_DOMCTL_MONITOR_EVENT_SOFTWARE_BREAKPOINT;
    case XEN_VM_RING_REASON_SINGLESTEP:
        return XEN_DOMCTL_MONITOR_EVENT_SINGLESTEP;
    case XEN_VM_RING_REASON_GUEST_REQUEST:
        return XEN_DOMCTL_MONITOR_EVENT_GUEST_REQUEST;
    case XEN_VM_RING_REASON_DEBUG_EXCEPTION:
        return XEN_DOMCTL_MONITOR_EVENT_DEBUG_EXCEPTION;
    case XEN_VM_RING_REASON_CPUID:
        return XEN_DOMCTL_MONITOR_EVENT_CPUID;
    case XEN_VM_RING_REASON_PRIVILEGED_CALL:
        return XEN_DOMCTL_MONITOR_EVENT_PRIVILEGED_CALL;
    case XEN_VM_RING_REASON_DESCRIPTOR_ACCESS:
        return XEN_DOMCTL_MONITOR_EVENT_DESC_ACCESS;
    case XEN_VM_RING_REASON_EMUL_UNIMPLEMENTED:
        return XEN_DOMCTL_MONITOR_EVENT_EMUL_UNIMPLEMENTED;
    case XEN_VM_RING_REASON_VMEXIT:
        return XEN_DOMCTL_MONITOR_EVENT_VMEXIT;
    default:
        return NO_EVENT;
    }
}

/* What this Xen can raise of this domain. */
struct bears {
    uint32_t capabilities; /* a bit for each XEN_DOMCTL_MONITOR_EVENT_* */
    bool frames;           /* restricted access to memory */
    bool is_intel;
    uint64_t last_frame;
};

static struct bears ask_what(struct calls *calls)
{
    struct bears bears = {.is_intel = cpu_is_intel()};

    (void)xen_capabilities(calls, &bears.capabilities);
    bears.frames = xen_can_restrict(calls) &&
                   xen_last_frame(calls, &bears.last_frame) == 0;
    return bears;
}

static bool fires(const struct bears *bears, unsigned int reason)
{
    uint32_t event = event_of(reason);

    if (reason == XEN_VM_RING_REASON_MEM_ACCESS)
        return bears->frames;
    /* Xen says so of each, and only VMX raises it. */
    if (reason == XEN_VM_RING_REASON_VMEXIT && !bears->is_intel)
        return false;
    return event < 32 && (bears->capabilities >> event & 1);
}

uint64_t xen_kinds(struct calls *calls)
{
    struct bears bears = ask_what(calls);
    struct vmring_kind kind;
    uint64_t mask = 0;

    for (unsigned int i = 0; i < 64 && vmring_get_kind(i, &kind) == 0; i++)
        if (fires(&bears, kind.reason))
            mask |= UINT64_C(1) << i;
    return mask;
}

/*
 * A bounded number at a time: vCPUs run in between.  Xen remembers what is
 * restricted, and lifts that when the ring is disarmed; so nothing stays
 * behind of frames that were refused amid a range, nor when this process ends.
 */
static int arm_frames(struct calls *calls, const struct vmring_spec *spec)
{
    unsigned int access = frames_access_left(spec->access);
    uint64_t left = spec->last - spec->first + 1, at = spec->first;
    int rc = 0;

    while (!rc && left) {
        uint32_t nr = left < FRAMES_PER_CALL ? (uint32_t)left : FRAMES_PER_CALL;

        rc = xen_restrict(calls, at, nr, access);
        at += nr;
        left -= nr;
    }
    return rc;
}

static int arm_spec(struct calls *calls, const struct vmring_spec *spec)
{
    struct monitor_event event = {
        .event = event_of(spec->reason),
        .sync = spec->mode != VMRING_MODE_ASYNC,
        .onchange = spec->flags & VMRING_SPEC_ONCHANGE,
        .user = spec->flags & VMRING_SPEC_USER,
    };
    uint64_t first = spec->first, last = spec->last;
    int rc = 0;

    if (spec->reason == XEN_VM_RING_REASON_MEM_ACCESS)
        return arm_frames(calls, spec);
    if (spec->reason != XEN_VM_RING_REASON_MOV_TO_MSR) {
        event.index = (uint32_t)first;
        return xen_arm(calls, &event);
    }
    for (uint64_t msr = first; !rc && msr <= last; msr++) {
        event.index = (uint32_t)msr;
        if (msrs_bear(msr))
            rc = xen_arm(calls, &event);
    }
    return rc;
}

/*
 * A write that can be denied waits until its vCPU resumes, all of that kind do
 * then: one that nobody waits for would come at a time that nobody knows.
 */
static bool would_be_late(uint32_t verdicts, const struct vmring_spec *spec)
{
    return (verdicts & XEN_VM_RING_VERDICT_DENY) &&
           spec->reason == XEN_VM_RING_REASON_WRITE_CTRLREG &&
           spec->mode == VMRING_MODE_ASYNC;
}

/*
 * A Xen that is asked for an MSR it does not bear ends, and the host with it.
 * And it handles no exit that waits: the guest exits again, whatever is said.
 */
static const char *refuse(const struct vmring_spec *spec)
{
    if (spec->reason == XEN_VM_RING_REASON_MOV_TO_MSR)
        return msrs_refuse(spec->first, spec->last);
    if (spec->reason == XEN_VM_RING_REASON_VMEXIT &&
        spec->mode != VMRING_MODE_ASYNC)
        return "that waits comes again for ever; make it vmexit:async";
    return NULL;
}

static const char *refuse_frames(const struct bears *bears,
                                 const struct vmring_spec *spec, char *text,
                                 size_t text_len)
{
    return spec->reason == XEN_VM_RING_REASON_MEM_ACCESS
               ? frames_refuse(spec, bears->last_frame, text, text_len)
               : NULL;
}

static uint8_t blame(struct vmring_local_subscribed *answer,
                     const struct vmring_spec *spec, const char *why,
                     uint8_t result)
{
    char text[128] = "event";

    vmring_spec_format(spec, text, sizeof(text));
    snprintf(answer->text, sizeof(answer->text), "event '%s' %s", text, why);
    return result;
}

/* VMRING_LOCAL_*; 0: it can be armed. */
static uint8_t can(const struct vmring_spec *specs, int i,
                   const struct bears *bears, uint32_t verdicts,
                   struct vmring_local_subscribed *answer)
{
    const struct vmring_spec *spec = &specs[i];
    const char *why;
    char text[128];

    if (!fires(bears, spec->reason))
        return blame(answer, spec, "does not fire on this CPU or domain",
                     VMRING_LOCAL_UNSUPPORTED);
    why = refuse(spec);
    if (why)
        return blame(answer, spec, why, VMRING_LOCAL_UNSUPPORTED);
    why = refuse_frames(bears, spec, text, sizeof(text));
    if (why)
        return blame(answer, spec, why, VMRING_LOCAL_UNSUPPORTED);
    why = frames_refuse_sum(specs, (unsigned int)i);
    if (why)
        return blame(answer, spec, why, VMRING_LOCAL_FAILED);
    if (!would_be_late(verdicts, spec))
        return 0;
    snprintf(answer->text, sizeof(answer->text),
             "asynchronous control registers do not go with the right to deny: "
             "make them synchronous, or give that up");
    return VMRING_LOCAL_DENIED;
}

static bool can_all(const struct vmring_spec *specs, int nr,
                    const struct bears *bears, uint32_t verdicts,
                    struct vmring_local_subscribed *answer)
{
    bool all = true;

    for (int i = 0; i < nr; i++) {
        answer->results[i] = can(specs, i, bears, verdicts, answer);
        if (answer->results[i])
            all = false;
    }
    return all;
}

static void arm_all(struct calls *calls, const struct vmring_spec *specs,
                    int nr, uint32_t verdicts,
                    struct vmring_local_subscribed *answer)
{
    bool denies = verdicts & XEN_VM_RING_VERDICT_DENY;
    int rc = denies ? xen_defer_writes(calls) : 0;

    if (!rc && frames_suppress_walks(specs, (unsigned int)nr))
        rc = xen_suppress_walks(calls);
    for (int i = 0; i < nr; i++) {
        if (!rc)
            rc = arm_spec(calls, &specs[i]);
        if (!rc)
            continue;
        answer->results[i] = VMRING_LOCAL_FAILED;
        snprintf(answer->text, sizeof(answer->text),
                 "Xen does not arm '%s': %s",
                 vmring_reason_name(specs[i].reason), strerror(-rc));
        (void)xen_ring(calls, XEN_VM_RING_OP_DISARM, NULL, 0);
        return;
    }
}

void xen_subscribe(struct calls *calls, uint32_t verdicts, const char *events,
                   struct vmring_local_subscribed *answer)
{
    struct vmring_spec specs[VMRING_MAX_SPECS];
    struct bears bears;
    int nr;

    *answer = (struct vmring_local_subscribed){0};
    nr = vmring_specs_parse(events, specs, VMRING_MAX_SPECS, answer->text,
                            sizeof(answer->text));
    if (nr < 0)
        return;
    *answer = (struct vmring_local_subscribed){.nr = (uint32_t)nr};
    (void)xen_ring(calls, XEN_VM_RING_OP_DISARM, NULL, 0);
    bears = ask_what(calls);
    if (can_all(specs, nr, &bears, verdicts, answer))
        arm_all(calls, specs, nr, verdicts, answer);
}
