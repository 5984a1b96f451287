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
#include <stdio.h>
#include <string.h>

#include "../../libvmring/vm_event/convert.h"
#include "monitor_calls.h"
#include "support.h"
#include "xen_checks.h"

#include <xen/hvm/save.h>

/* ------------------------------------------------------------- MSRs -- */

/*
 * Xen's monitor notes MSRs of three windows, and has both vendors' CPUs
 * intercept writes in two of them.  Of the third, 0x40000000-0x40001fff, its
 * code for AMD is a BUG() and that for Intel an assertion
 * (svm_intercept_msr(), vmx_set_msr_intercept()).
 */
#define MSRS_LOW      0u
#define MSRS_LAST(of) ((of) + 0x1fff)
#define MSRS_IN_WORDS "0-0x1fff and 0xc0000000-0xc0001fff"

static bool is_within(const struct vmring_spec *spec, uint32_t window)
{
    return spec->first >= window && spec->last <= MSRS_LAST(window);
}

/*
 * Before it reports a write Xen reads the old value, and gives the guest the
 * fault of that read (hvm_msr_write_intercept()).  These a guest may write and
 * not read (guest_rdmsr(), guest_rdmsr_x2apic()): a guest that was right to
 * write would get a #GP.
 */
static const uint32_t write_only[] = {
    0x49,  /* PRED_CMD */
    0x79,  /* microcode update, which Xen ignores without a fault */
    0x10b, /* FLUSH_CMD */
    0x80b, /* x2APIC EOI */
    0x83f, /* x2APIC SELF_IPI */
};

bool xen_check_msr(uint64_t msr)
{
    for (size_t i = 0; i < sizeof(write_only) / sizeof(write_only[0]); i++) {
        if (msr == write_only[i])
            return false;
    }
    return true;
}

bool xen_check_leaves_out(const struct vmring_spec *spec)
{
    if (spec->reason != XEN_VM_RING_REASON_MOV_TO_MSR)
        return false;
    for (size_t i = 0; i < sizeof(write_only) / sizeof(write_only[0]); i++) {
        if (spec->first <= write_only[i] && spec->last >= write_only[i])
            return true;
    }
    return false;
}

static const char *refuse_msrs(const struct vmring_spec *spec)
{
    if (!is_within(spec, MSRS_LOW) && !is_within(spec, MSRS_HIGH))
        return "is outside of what Xen can watch on this CPU: " MSRS_IN_WORDS;
    if (spec->first == spec->last && !xen_check_msr(spec->first))
        return "cannot be watched: it can be written and not read, and Xen "
               "would give the guest a fault for writing it";
    return NULL;
}

/* ----------------------------------------------------------- frames -- */

/* Xen knows no default access that is restored; its "all frames" is ~0. */
static const char *refuse_frames(struct target *target,
                                 const struct vmring_spec *spec, char *text,
                                 size_t text_len)
{
    xen_pfn_t last = 0;

    if (spec->flags & VMRING_SPEC_WALKS)
        return "is not known to work here: page walks that may write need Xen "
               "4.20 and a CPU that Xen does not tell of; leave :walks out";
    if (xc_domain_maximum_gpfn(target->xen.xch, target->domid, &last) < 0)
        return "cannot be armed: Xen does not say which frames there are";
    if (spec->last < spec->first || spec->last - spec->first >= UINT32_MAX)
        return "has too many pages; give a smaller range";
    if (spec->last > last) {
        snprintf(text, text_len, "goes beyond the guest's last frame, 0x%llx",
                 (unsigned long long)last);
        return text;
    }
    return NULL;
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
        why = refuse_msrs(spec);
    if (spec->reason == XEN_VM_RING_REASON_MEM_ACCESS)
        why = refuse_frames(target, spec, text, text_len);
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
