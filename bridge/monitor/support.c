/* SPDX-License-Identifier: MIT */
/* support.c: which events are known to fire here. */
#include "support.h"

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
    case XEN_VM_RING_REASON_IO_INSTRUCTION:
        return 1u << MONITOR_EVENT_IO;
    default: /* an interrupt is reported only after GET_NEXT_INTERRUPT */
        return 0;
    }
}

bool support_fires(const struct target *target, unsigned int reason)
{
    if (reason == XEN_VM_RING_REASON_MEM_ACCESS)
        return target->has_mem_access;
    /* Reported on every x86; raised by vmx.c alone. */
    if (reason == XEN_VM_RING_REASON_VMEXIT && !target->is_intel)
        return false;
    /* Reported there, too, but an IN could not be carried out. */
    if (reason == XEN_VM_RING_REASON_IO_INSTRUCTION && target->has_devices)
        return false;
    return (target->capabilities & capability(reason)) != 0;
}

uint64_t support_kinds(const struct target *target)
{
    struct vmring_kind kind;
    uint64_t mask = 0;

    for (unsigned int i = 0; i < 64 && vmring_get_kind(i, &kind) == 0; i++) {
        if (support_fires(target, kind.reason))
            mask |= UINT64_C(1) << i;
    }
    return mask;
}

uint32_t support_verdicts(const struct target *target)
{
    uint32_t verdicts =
        XEN_VM_RING_VERDICT_SET_REGISTERS | XEN_VM_RING_VERDICT_CONTINUE;

    if (target->arch != XEN_VM_RING_ARCH_X86)
        return verdicts;
    verdicts |= XEN_VM_RING_VERDICT_DENY | XEN_VM_RING_VERDICT_EMULATE |
                XEN_VM_RING_VERDICT_INJECT | XEN_VM_RING_VERDICT_NEXT_INTERRUPT;
    if (support_fires(target, XEN_VM_RING_REASON_SINGLESTEP))
        verdicts |= XEN_VM_RING_VERDICT_STEP;
    if (target->is_intel)
        verdicts |= XEN_VM_RING_VERDICT_ALTP2M | XEN_VM_RING_VERDICT_RESET;
    return verdicts;
}

bool support_is_range(const struct vmring_spec *spec)
{
    return spec->reason == XEN_VM_RING_REASON_MOV_TO_MSR ||
           spec->reason == XEN_VM_RING_REASON_MEM_ACCESS;
}
