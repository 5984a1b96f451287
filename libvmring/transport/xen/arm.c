/* SPDX-License-Identifier: MIT */
/* arm.c: the events that a consumer subscribes to, in a Xen that is asked. */
#define __XEN_TOOLS__ 1
#include "arm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xenctrl.h>

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

static bool fires(uint32_t capabilities, unsigned int reason)
{
    uint32_t event = event_of(reason);

    return event < 32 && (capabilities >> event & 1);
}

uint64_t xen_kinds(struct calls *calls)
{
    struct vmring_kind kind;
    uint32_t capabilities;
    uint64_t mask = 0;

    (void)xen_capabilities(calls, &capabilities);
    for (unsigned int i = 0; i < 64 && vmring_get_kind(i, &kind) == 0; i++)
        if (fires(capabilities, kind.reason))
            mask |= UINT64_C(1) << i;
    return mask;
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

    if (spec->reason != XEN_VM_RING_REASON_MOV_TO_MSR) {
        event.index = (uint32_t)first;
        return xen_arm(calls, &event);
    }
    for (uint64_t msr = first; !rc && msr <= last; msr++) {
        event.index = (uint32_t)msr;
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

static bool can_all(const struct vmring_spec *specs, int nr,
                    uint32_t capabilities, uint32_t verdicts,
                    struct vmring_local_subscribed *answer)
{
    bool all = true;

    for (int i = 0; i < nr; i++) {
        if (!fires(capabilities, specs[i].reason)) {
            answer->results[i] = VMRING_LOCAL_UNSUPPORTED;
            snprintf(answer->text, sizeof(answer->text),
                     "event '%s' does not fire here",
                     vmring_reason_name(specs[i].reason));
        } else if (would_be_late(verdicts, &specs[i])) {
            answer->results[i] = VMRING_LOCAL_DENIED;
            snprintf(answer->text, sizeof(answer->text),
                     "asynchronous control registers do not go with the right "
                     "to deny: make them synchronous, or give that up");
        } else {
            continue;
        }
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
    uint32_t capabilities;
    int nr;

    *answer = (struct vmring_local_subscribed){0};
    nr = vmring_specs_parse(events, specs, VMRING_MAX_SPECS, answer->text,
                            sizeof(answer->text));
    if (nr < 0)
        return;
    *answer = (struct vmring_local_subscribed){.nr = (uint32_t)nr};
    (void)xen_ring(calls, XEN_VM_RING_OP_DISARM, NULL, 0);
    (void)xen_capabilities(calls, &capabilities);
    if (can_all(specs, nr, capabilities, verdicts, answer))
        arm_all(calls, specs, nr, verdicts, answer);
}
