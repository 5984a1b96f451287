/* SPDX-License-Identifier: MIT */
/* response.c: from a verdict to what Xen takes as a response. */
#include "response.h"

/* A trap of x86, as HVMOP_inject_trap takes it. */
#define TRAP_DEBUG_EXCEPTION 1
#define TRAP_BREAKPOINT      3
#define TRAP_HW_EXCEPTION    3     /* its type */
#define NO_ERROR_CODE        (~0u) /* X86_EVENT_NO_EC */
#define DR6_BS               (1u << 14)

#define ARM_INSN_LEN 4

#define RFLAGS_TF (1u << 8)
#define RFLAGS_RF (1u << 16)

#define MAX_X86_INSN_LEN 15
#define INSN_NOP         0x90
#define PREFIX_OPERAND   0x66

static void inject_again(const struct xen_vm_ring_event *event, uint32_t vector,
                         struct xen_vm_ring_response *verdict)
{
    verdict->flags = XEN_VM_RING_FLAG_INJECT;
    verdict->inject.vector = vector;
    verdict->inject.type = event->u.debug.type;
    verdict->inject.error_code = NO_ERROR_CODE;
    verdict->inject.insn_len = event->u.debug.insn_len;
    /* Xen takes PENDING_DBG of a #DB in the place of CR2. */
    verdict->inject.cr2 =
        vector == TRAP_DEBUG_EXCEPTION ? event->u.debug.pending_dbg : 0;
}

/*
 * Ends an instruction whose results are in the registers already.  More than
 * rip goes on then: RF and the shadow of STI or MOV SS end, and with TF set
 * there is a #DB.  Of all that registers can be set, so an instruction of the
 * same length that does nothing else is emulated; its bytes are given, so it
 * does not matter what other vCPUs write to the guest's.
 */
static void step_over(uint32_t insn_len, struct xen_vm_ring_response *verdict)
{
    uint32_t len =
        insn_len && insn_len <= MAX_X86_INSN_LEN ? insn_len : MAX_X86_INSN_LEN;

    verdict->flags =
        XEN_VM_RING_FLAG_EMULATE | XEN_VM_RING_FLAG_SET_EMUL_INSN_DATA;
    for (uint32_t i = 0; i < XEN_VM_RING_INSN_LEN; i++)
        verdict->data.emul_insn[i] = i + 1 < len ? PREFIX_OPERAND : INSN_NOP;
}

void vm_event_neutral(const struct xen_vm_ring_event *event, uint32_t arch,
                      struct xen_vm_ring_response *verdict)
{
    struct xen_vm_ring_response out = {0};

    out.reason = event->reason;
    switch (event->reason) {
    case XEN_VM_RING_REASON_CPUID:
        /*
         * The results are in the registers already, but rip is still at the
         * instruction: going on would execute it again, with a leaf that the
         * results have overwritten (svm_vmexit_do_cpuid(), vmx.c).
         */
        step_over(event->u.cpuid.insn_len, &out);
        break;
    case XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT:
        inject_again(event, TRAP_BREAKPOINT, &out);
        break;
    case XEN_VM_RING_REASON_DEBUG_EXCEPTION:
        inject_again(event, TRAP_DEBUG_EXCEPTION, &out);
        break;
    case XEN_VM_RING_REASON_MEM_ACCESS:
    case XEN_VM_RING_REASON_DESCRIPTOR_ACCESS:
    case XEN_VM_RING_REASON_IO_INSTRUCTION:
        /* Else the instruction faults or exits again, for ever. */
        out.flags = XEN_VM_RING_FLAG_EMULATE;
        break;
    case XEN_VM_RING_REASON_SINGLESTEP:
        out.flags = XEN_VM_RING_FLAG_TOGGLE_SINGLESTEP;
        break;
    case XEN_VM_RING_REASON_PRIVILEGED_CALL:
        if (arch == XEN_VM_RING_ARCH_ARM) {
            out.flags = XEN_VM_RING_FLAG_SET_REGISTERS;
            out.data = event->regs;
            out.data.arm.pc += ARM_INSN_LEN;
        }
        break;
    default: /* what was to happen has happened, or will on return */
        break;
    }
    *verdict = out;
}

/* The tail of a response is one union: only one flag may claim it. */
static bool tail_is_ambiguous(uint32_t flags)
{
    uint32_t claims = flags & (XEN_VM_RING_FLAG_SET_REGISTERS |
                               XEN_VM_RING_FLAG_SET_EMUL_READ_DATA |
                               XEN_VM_RING_FLAG_SET_EMUL_INSN_DATA);

    return (claims & (claims - 1)) != 0;
}

static enum convert_result set_tail(const struct xen_vm_ring_response *verdict,
                                    uint32_t arch,
                                    vm_event_response_t *response)
{
    unsigned int i;

    if (verdict->flags & XEN_VM_RING_FLAG_SET_EMUL_READ_DATA) {
        uint32_t size = verdict->data.emul_read.size;

        if (size > sizeof(response->data.emul.read.data))
            return CONVERT_BAD_VERDICT;
        response->data.emul.read.size = size;
        for (i = 0; i < size; i++)
            response->data.emul.read.data[i] = verdict->data.emul_read.data[i];
    } else if (verdict->flags & XEN_VM_RING_FLAG_SET_EMUL_INSN_DATA) {
        for (i = 0; i < XEN_VM_RING_INSN_LEN; i++)
            response->data.emul.insn.data[i] = verdict->data.emul_insn[i];
    } else if (verdict->flags & XEN_VM_RING_FLAG_SET_REGISTERS) {
        vm_event_regs_from_ring(&verdict->data, arch, response);
    }
    return CONVERT_OK;
}

/*
 * A consumer that sets the registers behind a CPUID, with other results, does
 * not see to what else ends with it; of the shadow of STI nobody can.
 */
static void end_cpuid(const struct xen_vm_ring_event *event,
                      const struct xen_vm_ring_response *verdict,
                      struct vm_event_answer *answer)
{
    struct vm_event_regs_x86 *regs = &answer->response.data.regs.x86;

    if (event->reason != XEN_VM_RING_REASON_CPUID ||
        !(verdict->flags & XEN_VM_RING_FLAG_SET_REGISTERS) ||
        regs->rip != event->regs.x86.rip + event->u.cpuid.insn_len)
        return;
    regs->rflags &= ~(uint64_t)RFLAGS_RF;
    if (!(regs->rflags & RFLAGS_TF) || answer->has_inject)
        return;
    answer->has_inject = true;
    answer->inject = (struct xen_vm_ring_inject){
        .vector = TRAP_DEBUG_EXCEPTION,
        .type = TRAP_HW_EXCEPTION,
        .error_code = NO_ERROR_CODE,
        .cr2 = DR6_BS, /* PENDING_DBG, see inject_again() */
    };
}

enum convert_result vm_event_respond(const struct xen_vm_ring_event *event,
                                     const struct xen_vm_ring_response *verdict,
                                     uint32_t arch, bool paused,
                                     struct vm_event_answer *answer)
{
    struct xen_vm_ring_response neutral;
    struct vm_event_answer out = {{0}, false, {0}};
    vm_event_response_t *response = &out.response;

    if (!verdict->flags) {
        vm_event_neutral(event, arch, &neutral);
        verdict = &neutral;
    }
    if (tail_is_ambiguous(verdict->flags))
        return CONVERT_BAD_VERDICT;

    response->version = VM_EVENT_INTERFACE_VERSION;
    response->reason = event->reason;
    response->vcpu_id = event->vcpu;
    /* Xen acts on flags only of a vCPU that the request has paused. */
    if (paused)
        response->flags = (verdict->flags & VM_EVENT_SAME_FLAGS &
                           ~(uint32_t)XEN_VM_RING_FLAG_FOREIGN) |
                          VM_EVENT_FLAG_VCPU_PAUSED;
    /* DENY reads the register's index here, EMULATE what was violated. */
    vm_event_data_from_ring(event, response);
    if (verdict->flags & XEN_VM_RING_FLAG_ALTERNATE_P2M)
        response->altp2m_idx = verdict->altp2m_idx;
    if (verdict->flags & XEN_VM_RING_FLAG_FAST_SINGLESTEP)
        response->u.fast_singlestep.p2midx = verdict->altp2m_idx;
    if (paused && set_tail(verdict, arch, response) != CONVERT_OK)
        return CONVERT_BAD_VERDICT;
    if (verdict->flags & XEN_VM_RING_FLAG_INJECT) {
        out.has_inject = true;
        out.inject = verdict->inject;
    }
    /*
     * Xen takes an instruction's bytes only in the answer to a breakpoint, and
     * emulates one that is to be carried out without more ado only in that to
     * an access to a descriptor (vm_event_emulate_check()).
     */
    if (event->reason == XEN_VM_RING_REASON_CPUID &&
        verdict->flags & XEN_VM_RING_FLAG_SET_EMUL_INSN_DATA)
        response->reason = VM_EVENT_REASON_SOFTWARE_BREAKPOINT;
    if (event->reason == XEN_VM_RING_REASON_IO_INSTRUCTION &&
        verdict->flags & XEN_VM_RING_FLAG_EMULATE)
        response->reason = VM_EVENT_REASON_DESCRIPTOR_ACCESS;
    if (paused && arch == XEN_VM_RING_ARCH_X86)
        end_cpuid(event, verdict, &out);
    *answer = out;
    return CONVERT_OK;
}
