/* SPDX-License-Identifier: MIT */
/*
 * xen_checks.c: what this Xen, on this CPU, bears of a domain's monitor.
 *
 * Xen checks little of what a privileged tool asks for: it asserts, and an
 * assertion is the end of the host.  So whatever an agent can choose, a
 * register, a frame, a trap, comes by here before it goes into a hypercall.
 * What is said of Xen is from reading 4.17 to 4.20; the scenario `sweep` tries
 * each.
 */
#include <errno.h>
#include <string.h>

#include "../../libvmring/base/frames.h"
#include "../../libvmring/base/msrs.h"
#include "../../libvmring/vm_event/convert.h"
#include "monitor_calls.h"
#include "support.h"
#include "xen_checks.h"

#include <xen/hvm/save.h>

/* ------------------------------------------------------------- MSRs -- */

bool xen_check_msr(uint64_t msr)
{
    return msrs_bear(msr);
}

bool xen_check_leaves_out(const struct vmring_spec *spec)
{
    return spec->reason == XEN_VM_RING_REASON_MOV_TO_MSR &&
           msrs_have_write_only(spec->first, spec->last);
}

/* ----------------------------------------------------------- frames -- */

static const char *refuse_frames(struct target *target,
                                 const struct vmring_spec *spec, char *text,
                                 size_t text_len)
{
    xen_pfn_t last = 0;

    if (xc_domain_maximum_gpfn(target->xen.xch, target->domid, &last) < 0)
        return "cannot be armed: Xen does not say which frames there are";
    return frames_refuse(spec, last, text, text_len);
}

/* ------------------------------------------------------------ ports -- */

/*
 * Xen reports an instruction of I/O before it carries it out, and so the
 * neutral verdict has it emulated.  In that way an IN from a port of a device
 * model would come again for ever: it is sent there, the emulator leaves rip
 * where it is until there is an answer, and nobody advances it after that
 * (hvm_emulate_one_vm_event()).
 */
static const char *refuse_io(const struct target *target)
{
    return target->capabilities & (1u << MONITOR_EVENT_IO)
               ? "cannot be watched in an HVM domain: Xen would carry out no "
                 "IN from a port of its device model; a PVH domain can"
               : "needs Xen 4.18";
}

/* ------------------------------------------------------------ exits -- */

/*
 * Xen reports an exit before it handles it, and does not handle one that it
 * waits for: the guest exits again, whatever is said (vmx_vmexit_handler()).
 */
static const char *refuse_exits(const struct vmring_spec *spec)
{
    return spec->mode == VMRING_MODE_ASYNC
               ? NULL
               : "that waits comes again for ever; make it vmexit:async";
}

/* ----------------------------------------------------------- events -- */

static bool collides(const struct vmring_spec *a, const struct vmring_spec *b)
{
    return a->reason == b->reason && !support_is_range(a) &&
           (a->reason != XEN_VM_RING_REASON_WRITE_CTRLREG ||
            a->first == b->first);
}

const char *xen_check_spec(struct target *target,
                           const struct vmring_spec *specs, unsigned int i,
                           int *result, char *text, size_t text_len)
{
    const struct vmring_spec *spec = &specs[i];
    const char *why = NULL;

    *result = VMRING_SPEC_UNSUPPORTED;
    if (spec->reason == XEN_VM_RING_REASON_IO_INSTRUCTION &&
        !support_fires(target, spec->reason))
        return refuse_io(target);
    if (!support_fires(target, spec->reason))
        return "does not fire on this CPU or domain; vmring-agent -e help "
               "TARGET lists what does";
    if (spec->reason == XEN_VM_RING_REASON_MOV_TO_MSR)
        why = msrs_refuse(spec->first, spec->last);
    if (spec->reason == XEN_VM_RING_REASON_MEM_ACCESS)
        why = refuse_frames(target, spec, text, text_len);
    if (spec->reason == XEN_VM_RING_REASON_VMEXIT)
        why = refuse_exits(spec);
    if (why)
        return why;
    *result = VMRING_SPEC_FAILED;
    for (unsigned int k = 0; k < i; k++) {
        if (collides(&specs[k], spec))
            return "is listed twice; list it once";
    }
    *result = VMRING_SPEC_ARMED;
    return NULL;
}

/* --------------------------------------------------------- verdicts -- */

/*
 * Xen denies what it defers: of the registers that it reports, it writes XCR0
 * whatever the answer is (hvm_handle_xsetbv()).
 */
static bool is_deferred(const struct xen_vm_ring_event *event)
{
    if (event->reason == XEN_VM_RING_REASON_MOV_TO_MSR)
        return true;
    if (event->reason != XEN_VM_RING_REASON_WRITE_CTRLREG)
        return false;
    return event->u.write_ctrlreg.index == VM_EVENT_X86_CR0 ||
           event->u.write_ctrlreg.index == VM_EVENT_X86_CR3 ||
           event->u.write_ctrlreg.index == VM_EVENT_X86_CR4;
}

enum trap_type { /* X86_EVENTTYPE_* of Xen's processor.h */
                 TRAP_HARDWARE = 3,
                 TRAP_INTERRUPT = 4,  /* INT n */
                 TRAP_PRIVILEGED = 5, /* ICEBP */
                 TRAP_SOFTWARE = 6,   /* INT3, INTO */
};

#define NO_ERROR_CODE UINT32_MAX
#define LONGEST_INSN  15
/* 0, 1, 5-8, 10-14 and 16-19: a CPU runs no guest that is to get another. */
#define EXCEPTIONS UINT32_C(0x000f7de3)
/* Of these, 8, 10-14 and 17, as in X86_EXC_HAVE_EC. */
#define HAVE_ERROR_CODE UINT32_C(0x00027d00)

static bool is_exception(const struct xen_vm_ring_inject *trap)
{
    bool always_zero = trap->vector == 8 || trap->vector == 17;

    if (trap->vector >= 32 || !(EXCEPTIONS >> trap->vector & 1))
        return false;
    return HAVE_ERROR_CODE >> trap->vector & 1
               ? trap->error_code <= (always_zero ? 0 : UINT16_MAX)
               : trap->error_code == NO_ERROR_CODE;
}

/*
 * What hvm_inject_event() and what it calls assert, and what a CPU refuses to
 * enter the guest with, which Xen takes for the end of the domain.  External
 * interrupts and NMIs are not for a tool to inject: on AMD Xen makes exceptions
 * of them, and on Intel the entry fails where the guest has masked them.
 */
bool xen_check_trap(const struct xen_vm_ring_inject *trap)
{
    if (trap->type == TRAP_HARDWARE)
        return is_exception(trap);
    if (trap->error_code != NO_ERROR_CODE || trap->insn_len < 1 ||
        trap->insn_len > LONGEST_INSN)
        return false;
    if (trap->type == TRAP_INTERRUPT)
        return trap->vector <= UINT8_MAX;
    if (trap->type == TRAP_PRIVILEGED)
        return trap->vector == 1;
    return trap->type == TRAP_SOFTWARE &&
           (trap->vector == 3 || trap->vector == 4);
}

bool xen_check_verdict(const struct xen_vm_ring_event *event,
                       const struct xen_vm_ring_response *verdict, bool defers)
{
    if (verdict->flags & XEN_VM_RING_FLAG_DENY &&
        (!defers || !is_deferred(event)))
        return false;
    return !(verdict->flags & XEN_VM_RING_FLAG_INJECT) ||
           xen_check_trap(&verdict->inject);
}

/*
 * Is an event on its way into this vCPU already?  Xen then drops, without a
 * word, what is to be injected (hvm_do_resume()).  Events come to wait there
 * only where the exit came amid the delivery of one; an exit by INT3 or #DB
 * is no such exit.
 */
bool xen_check_event_pending(struct target *target,
                             const struct xen_vm_ring_event *event)
{
    struct hvm_hw_cpu cpu;

    if (event->reason == XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT ||
        event->reason == XEN_VM_RING_REASON_DEBUG_EXCEPTION)
        return false;
    memset(&cpu, 0, sizeof(cpu));
    return xc_domain_hvm_getcontext_partial(
               target->xen.xch, target->domid, HVM_SAVE_CODE(CPU),
               (uint16_t)event->vcpu, &cpu, sizeof(cpu)) == 0 &&
           cpu.pending_event != 0;
}
