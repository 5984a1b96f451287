/* SPDX-License-Identifier: MIT */
/* monitor_support.c: which events are known to fire here. */
#include "monitor.h"

static uint32_t capability(unsigned int reason)
{
    switch (reason) {
    case XEN_VM_RING_REASON_WRITE_CTRLREG:
        return 1u << XEN_DOMCTL_MONITOR_EVENT_WRITE_CTRLREG;
    case XEN_VM_RING_REASON_MOV_TO_MSR:
        return 1u << XEN_DOMCTL_MONITOR_EVENT_MOV_TO_MSR;
    case XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT:
        return 1u << XEN_DOMCTL_MONITOR_EVENT_SOFTWARE_BREAKPOINT;
    case XEN_VM_RING_REASON_SINGLESTEP:
        return 1u << XEN_DOMCTL_MONITOR_EVENT_SINGLESTEP;
    case XEN_VM_RING_REASON_GUEST_REQUEST:
        return 1u << XEN_DOMCTL_MONITOR_EVENT_GUEST_REQUEST;
    case XEN_VM_RING_REASON_DEBUG_EXCEPTION:
        return 1u << XEN_DOMCTL_MONITOR_EVENT_DEBUG_EXCEPTION;
    case XEN_VM_RING_REASON_CPUID:
        return 1u << XEN_DOMCTL_MONITOR_EVENT_CPUID;
    case XEN_VM_RING_REASON_PRIVILEGED_CALL:
        return 1u << XEN_DOMCTL_MONITOR_EVENT_PRIVILEGED_CALL;
    case XEN_VM_RING_REASON_DESCRIPTOR_ACCESS:
        return 1u << XEN_DOMCTL_MONITOR_EVENT_DESC_ACCESS;
    case XEN_VM_RING_REASON_EMUL_UNIMPLEMENTED:
        return 1u << XEN_DOMCTL_MONITOR_EVENT_EMUL_UNIMPLEMENTED;
    case XEN_VM_RING_REASON_VMEXIT:
        return 1u << XEN_DOMCTL_MONITOR_EVENT_VMEXIT;
    default: /* an interrupt is reported only after GET_NEXT_INTERRUPT */
        return 0;
    }
}

static bool fires_here(const struct monitor *monitor, unsigned int reason)
{
    if (reason == XEN_VM_RING_REASON_MEM_ACCESS)
        return monitor->has_mem_access;
    /* Reported on every x86; raised by vmx.c alone. */
    if (reason == XEN_VM_RING_REASON_VMEXIT && !monitor->is_intel)
        return false;
    return (monitor->capabilities & capability(reason)) != 0;
}

uint64_t monitor_supported(void *ctx)
{
    struct monitor *monitor = ctx;
    struct vmring_kind kind;
    uint64_t mask = 0;

    for (unsigned int i = 0; i < 64 && vmring_kind(i, &kind) == 0; i++) {
        if (fires_here(monitor, kind.reason))
            mask |= UINT64_C(1) << i;
    }
    return mask;
}

uint32_t monitor_verdicts(const struct monitor *monitor)
{
    uint32_t verdicts = XEN_VM_RING_VERDICT_SET_REGISTERS;

    if (monitor->arch != XEN_VM_RING_ARCH_X86)
        return verdicts;
    verdicts |= XEN_VM_RING_VERDICT_DENY | XEN_VM_RING_VERDICT_EMULATE |
                XEN_VM_RING_VERDICT_INJECT | XEN_VM_RING_VERDICT_NEXT_INTERRUPT;
    if (fires_here(monitor, XEN_VM_RING_REASON_SINGLESTEP))
        verdicts |= XEN_VM_RING_VERDICT_STEP;
    if (monitor->is_intel)
        verdicts |= XEN_VM_RING_VERDICT_ALTP2M | XEN_VM_RING_VERDICT_RESET;
    return verdicts;
}

bool monitor_is_range(const struct vmring_spec *spec)
{
    return spec->reason == XEN_VM_RING_REASON_MOV_TO_MSR ||
           spec->reason == XEN_VM_RING_REASON_MEM_ACCESS;
}

/* Within one of the three windows that Xen has bitmaps for. */
static bool msrs_can_be_watched(uint64_t first, uint64_t last)
{
    static const uint64_t windows[] = {0, 0x40000000, 0xc0000000};

    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        if (first >= windows[i] && last <= windows[i] + 0x1fff)
            return true;
    }
    return false;
}

/*
 * Watching a register's writes makes Xen let its reads through on AMD
 * (svm_enable_msr_interception() in arch/x86/hvm/svm/svm.c).  Of EFER the
 * guest then reads the bit that Xen itself has set, SVME, writes it back, and
 * gets a fault for it: a Linux guest does not survive it.
 */
#define MSR_EFER 0xc0000080

static bool breaks_the_guest(const struct monitor *monitor,
                             const struct vmring_spec *spec)
{
    return monitor->arch == XEN_VM_RING_ARCH_X86 && !monitor->is_intel &&
           spec->reason == XEN_VM_RING_REASON_MOV_TO_MSR &&
           spec->first <= MSR_EFER && spec->last >= MSR_EFER;
}

static bool collides(const struct vmring_spec *a, const struct vmring_spec *b)
{
    return a->reason == b->reason && !monitor_is_range(a) &&
           (a->reason != XEN_VM_RING_REASON_WRITE_CTRLREG ||
            a->first == b->first);
}

const char *monitor_refuse(const struct monitor *monitor,
                           const struct vmring_spec *specs, unsigned int i,
                           int *result)
{
    const struct vmring_spec *spec = &specs[i];

    *result = VMRING_SPEC_UNSUPPORTED;
    if (!fires_here(monitor, spec->reason))
        return "does not fire on this CPU or domain; vmring-agent -e help "
               "TARGET lists what does";
    if (spec->reason == XEN_VM_RING_REASON_MOV_TO_MSR &&
        !msrs_can_be_watched(spec->first, spec->last))
        return "is outside of what Xen can watch: 0-0x1fff, "
               "0x40000000-0x40001fff, 0xc0000000-0xc0001fff";
    if (breaks_the_guest(monitor, spec))
        return "would break the guest: on AMD this Xen shows it its own EFER "
               "(0xc0000080) then; leave that one out";
    *result = VMRING_SPEC_FAILED;
    if (spec->reason == XEN_VM_RING_REASON_MEM_ACCESS &&
        (spec->last < spec->first || spec->last - spec->first >= UINT32_MAX))
        return "has too many pages; give a smaller range";
    for (unsigned int k = 0; k < i; k++) {
        if (collides(&specs[k], spec))
            return "is listed twice; list it once";
    }
    *result = VMRING_SPEC_ARMED;
    return NULL;
}
