/* SPDX-License-Identifier: MIT */
/* legacy.c: between the records of vm_event.h and those of vm_ring.h. */
#include "legacy.h"

/* What legacy_to_event() hands on numerically; both headers agree. */
#define LEGACY_FLAGS 0xffffu

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

/* ------------------------------------------------------- registers -- */

/* Every register whose name and meaning are the same in both. */
/* clang-format off */
#define X86_SAME(EACH)                                                         \
    EACH(rax) EACH(rcx) EACH(rdx) EACH(rbx) EACH(rsp) EACH(rbp) EACH(rsi)      \
    EACH(rdi) EACH(r8) EACH(r9) EACH(r10) EACH(r11) EACH(r12) EACH(r13)        \
    EACH(r14) EACH(r15) EACH(rflags) EACH(dr6) EACH(dr7) EACH(rip) EACH(cr0)   \
    EACH(cr2) EACH(cr3) EACH(cr4) EACH(sysenter_cs) EACH(sysenter_esp)         \
    EACH(sysenter_eip) EACH(msr_efer) EACH(msr_star) EACH(msr_lstar)           \
    EACH(gdtr_base) EACH(npt_base) EACH(vmtrace_pos) EACH(cs_base)             \
    EACH(ss_base) EACH(ds_base) EACH(es_base) EACH(fs_base) EACH(gs_base)      \
    EACH(shadow_gs) EACH(gdtr_limit) EACH(cs_sel) EACH(ss_sel) EACH(ds_sel)    \
    EACH(es_sel) EACH(fs_sel) EACH(gs_sel)
/* clang-format on */

#define X86_SELECTORS(EACH)                                                    \
    EACH(cs) EACH(ss) EACH(ds) EACH(es) EACH(fs) EACH(gs)

static void x86_to_event(const struct vm_event_regs_x86 *from,
                         struct xen_vm_ring_regs_x86 *to)
{
#define TAKE(reg) to->reg = from->reg;
    X86_SAME(TAKE)
#undef TAKE
#define TAKE(reg) to->reg = from->reg.limit | (uint32_t)from->reg.ar << 20;
    X86_SELECTORS(TAKE)
#undef TAKE
    to->known = 0;
}

static void x86_from_event(const struct xen_vm_ring_regs_x86 *from,
                           struct vm_event_regs_x86 *to)
{
#define TAKE(reg) to->reg = from->reg;
    X86_SAME(TAKE)
#undef TAKE
#define TAKE(reg)                                                              \
    to->reg.limit = from->reg & 0xfffff;                                       \
    to->reg.ar = from->reg >> 20;
    X86_SELECTORS(TAKE)
#undef TAKE
    to->_pad = 0;
}

static void arm_to_event(const struct vm_event_regs_arm *from,
                         struct xen_vm_ring_regs_arm *to)
{
    to->ttbr0 = from->ttbr0;
    to->ttbr1 = from->ttbr1;
    to->ttbcr = from->ttbcr;
    to->pc = from->pc;
    to->cpsr = from->cpsr;
}

static void arm_from_event(const struct xen_vm_ring_regs_arm *from,
                           struct vm_event_regs_arm *to)
{
    to->ttbr0 = from->ttbr0;
    to->ttbr1 = from->ttbr1;
    to->ttbcr = from->ttbcr;
    to->pc = from->pc;
    to->cpsr = from->cpsr;
}

/* --------------------------------------------- what happened, by reason -- */

static void debug_to_event(const struct vm_event_debug *from,
                           struct xen_vm_ring_debug *to)
{
    to->gfn = from->gfn;
    to->pending_dbg = from->pending_dbg;
    to->insn_len = from->insn_length;
    to->type = from->type;
}

static void debug_from_event(const struct xen_vm_ring_debug *from,
                             struct vm_event_debug *to)
{
    to->gfn = from->gfn;
    to->pending_dbg = from->pending_dbg;
    to->insn_length = from->insn_len;
    to->type = (uint8_t)from->type;
}

/*
 * vm_event.h has vm_event_io since Xen 4.18, in the same version of the
 * interface: uint32_t bytes, uint16_t port, uint8_t in, uint8_t str.  A ring
 * can bring one whatever this is built with, so it is taken from the words that
 * cpuid has there; only x86 raises it.
 */
static void io_to_event(const vm_event_request_t *from,
                        struct xen_vm_ring_io *to)
{
    uint32_t word = from->u.cpuid.leaf;

    to->bytes = from->u.cpuid.insn_length;
    to->port = word & 0xffff;
    to->in = word >> 16 & 0xff;
    to->str = word >> 24;
}

static void io_from_event(const struct xen_vm_ring_io *from,
                          vm_event_request_t *to)
{
    to->u.cpuid.insn_length = from->bytes;
    to->u.cpuid.leaf =
        (from->port & 0xffff) | (from->in & 0xff) << 16 | from->str << 24;
}

static void data_to_event(const vm_event_request_t *from,
                          union xen_vm_ring_data *to)
{
    switch (from->reason) {
    case VM_EVENT_REASON_MEM_ACCESS:
        to->mem_access.gfn = from->u.mem_access.gfn;
        to->mem_access.offset = from->u.mem_access.offset;
        to->mem_access.gla = from->u.mem_access.gla;
        to->mem_access.flags = from->u.mem_access.flags;
        break;
    case VM_EVENT_REASON_WRITE_CTRLREG:
        to->write_ctrlreg.index = from->u.write_ctrlreg.index;
        to->write_ctrlreg.new_value = from->u.write_ctrlreg.new_value;
        to->write_ctrlreg.old_value = from->u.write_ctrlreg.old_value;
        break;
    case VM_EVENT_REASON_MOV_TO_MSR:
        to->mov_to_msr.msr = from->u.mov_to_msr.msr;
        to->mov_to_msr.new_value = from->u.mov_to_msr.new_value;
        to->mov_to_msr.old_value = from->u.mov_to_msr.old_value;
        break;
    case VM_EVENT_REASON_SINGLESTEP:
        to->debug.gfn = from->u.singlestep.gfn;
        break;
    case VM_EVENT_REASON_SOFTWARE_BREAKPOINT:
        debug_to_event(&from->u.software_breakpoint, &to->debug);
        break;
    case VM_EVENT_REASON_DEBUG_EXCEPTION:
        debug_to_event(&from->u.debug_exception, &to->debug);
        break;
    case VM_EVENT_REASON_CPUID:
        to->cpuid.insn_len = from->u.cpuid.insn_length;
        to->cpuid.leaf = from->u.cpuid.leaf;
        to->cpuid.subleaf = from->u.cpuid.subleaf;
        break;
    case VM_EVENT_REASON_INTERRUPT:
        to->interrupt.vector = from->u.interrupt.x86.vector;
        to->interrupt.type = from->u.interrupt.x86.type;
        to->interrupt.error_code = from->u.interrupt.x86.error_code;
        to->interrupt.cr2 = from->u.interrupt.x86.cr2;
        break;
    case VM_EVENT_REASON_DESCRIPTOR_ACCESS:
        to->desc_access.instr_info = from->u.desc_access.arch.vmx.instr_info;
        to->desc_access.exit_qualification =
            from->u.desc_access.arch.vmx.exit_qualification;
        to->desc_access.descriptor = from->u.desc_access.descriptor;
        to->desc_access.is_write = from->u.desc_access.is_write;
        break;
    case VM_EVENT_REASON_VMEXIT:
        to->vmexit.reason = from->u.vmexit.arch.vmx.reason;
        to->vmexit.qualification = from->u.vmexit.arch.vmx.qualification;
        break;
    case XEN_VM_RING_REASON_IO_INSTRUCTION:
        io_to_event(from, &to->io);
        break;
    default:
        break;
    }
}

static void data_from_event(const struct xen_vm_ring_event *event,
                            vm_event_request_t *to)
{
    const union xen_vm_ring_data *from = &event->u;

    switch (event->reason) {
    case XEN_VM_RING_REASON_MEM_ACCESS:
        to->u.mem_access.gfn = from->mem_access.gfn;
        to->u.mem_access.offset = from->mem_access.offset;
        to->u.mem_access.gla = from->mem_access.gla;
        to->u.mem_access.flags = from->mem_access.flags;
        break;
    case XEN_VM_RING_REASON_WRITE_CTRLREG:
        to->u.write_ctrlreg.index = from->write_ctrlreg.index;
        to->u.write_ctrlreg.new_value = from->write_ctrlreg.new_value;
        to->u.write_ctrlreg.old_value = from->write_ctrlreg.old_value;
        break;
    case XEN_VM_RING_REASON_MOV_TO_MSR:
        to->u.mov_to_msr.msr = from->mov_to_msr.msr;
        to->u.mov_to_msr.new_value = from->mov_to_msr.new_value;
        to->u.mov_to_msr.old_value = from->mov_to_msr.old_value;
        break;
    case XEN_VM_RING_REASON_SINGLESTEP:
        to->u.singlestep.gfn = from->debug.gfn;
        break;
    case XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT:
        debug_from_event(&from->debug, &to->u.software_breakpoint);
        break;
    case XEN_VM_RING_REASON_DEBUG_EXCEPTION:
        debug_from_event(&from->debug, &to->u.debug_exception);
        break;
    case XEN_VM_RING_REASON_CPUID:
        to->u.cpuid.insn_length = from->cpuid.insn_len;
        to->u.cpuid.leaf = from->cpuid.leaf;
        to->u.cpuid.subleaf = from->cpuid.subleaf;
        break;
    case XEN_VM_RING_REASON_INTERRUPT:
        to->u.interrupt.x86.vector = from->interrupt.vector;
        to->u.interrupt.x86.type = from->interrupt.type;
        to->u.interrupt.x86.error_code = from->interrupt.error_code;
        to->u.interrupt.x86.cr2 = from->interrupt.cr2;
        break;
    case XEN_VM_RING_REASON_DESCRIPTOR_ACCESS:
        to->u.desc_access.arch.vmx.instr_info = from->desc_access.instr_info;
        to->u.desc_access.arch.vmx.exit_qualification =
            from->desc_access.exit_qualification;
        to->u.desc_access.descriptor = (uint8_t)from->desc_access.descriptor;
        to->u.desc_access.is_write = (uint8_t)from->desc_access.is_write;
        break;
    case XEN_VM_RING_REASON_VMEXIT:
        to->u.vmexit.arch.vmx.reason = from->vmexit.reason;
        to->u.vmexit.arch.vmx.qualification = from->vmexit.qualification;
        break;
    case XEN_VM_RING_REASON_IO_INSTRUCTION:
        io_from_event(&from->io, to);
        break;
    default:
        break;
    }
}

/* ---------------------------------------------------------- requests -- */

int legacy_to_event(const vm_event_request_t *request, uint32_t arch,
                    uint32_t nr_vcpus, struct xen_vm_ring_event *event)
{
    struct xen_vm_ring_event out = {0};

    if (request->version != VM_EVENT_INTERFACE_VERSION)
        return LEGACY_BAD_VERSION;
    if (request->vcpu_id >= nr_vcpus)
        return LEGACY_BAD_VCPU;
    if (request->reason > XEN_VM_RING_REASON_IO_INSTRUCTION)
        return LEGACY_BAD_REASON;

    out.flags = request->flags & LEGACY_FLAGS;
    out.reason = (uint16_t)request->reason;
    out.vcpu = (uint16_t)request->vcpu_id;
    out.altp2m_idx = request->altp2m_idx;
    out.length = XEN_VM_RING_EVENT_FULL;
    data_to_event(request, &out.u);
    if (arch == XEN_VM_RING_ARCH_ARM)
        arm_to_event(&request->data.regs.arm, &out.regs.arm);
    else
        x86_to_event(&request->data.regs.x86, &out.regs.x86);
    *event = out;
    return LEGACY_OK;
}

void legacy_from_event(const struct xen_vm_ring_event *event, uint32_t arch,
                       vm_event_request_t *request)
{
    vm_event_request_t out = {0};

    out.version = VM_EVENT_INTERFACE_VERSION;
    out.flags = event->flags & LEGACY_FLAGS;
    out.reason = event->reason;
    out.vcpu_id = event->vcpu;
    out.altp2m_idx = event->altp2m_idx;
    data_from_event(event, &out);
    if (arch == XEN_VM_RING_ARCH_ARM)
        arm_from_event(&event->regs.arm, &out.data.regs.arm);
    else
        x86_from_event(&event->regs.x86, &out.data.regs.x86);
    *request = out;
}

/* ---------------------------------------------------------- verdicts -- */

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

void legacy_neutral(const struct xen_vm_ring_event *event, uint32_t arch,
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
static int tail_is_ambiguous(uint32_t flags)
{
    uint32_t claims = flags & (XEN_VM_RING_FLAG_SET_REGISTERS |
                               XEN_VM_RING_FLAG_SET_EMUL_READ_DATA |
                               XEN_VM_RING_FLAG_SET_EMUL_INSN_DATA);

    return (claims & (claims - 1)) != 0;
}

static int set_tail(const struct xen_vm_ring_response *verdict, uint32_t arch,
                    vm_event_response_t *response)
{
    unsigned int i;

    if (verdict->flags & XEN_VM_RING_FLAG_SET_EMUL_READ_DATA) {
        uint32_t size = verdict->data.emul_read.size;

        if (size > sizeof(response->data.emul.read.data))
            return LEGACY_BAD_VERDICT;
        response->data.emul.read.size = size;
        for (i = 0; i < size; i++)
            response->data.emul.read.data[i] = verdict->data.emul_read.data[i];
    } else if (verdict->flags & XEN_VM_RING_FLAG_SET_EMUL_INSN_DATA) {
        for (i = 0; i < XEN_VM_RING_INSN_LEN; i++)
            response->data.emul.insn.data[i] = verdict->data.emul_insn[i];
    } else if (verdict->flags & XEN_VM_RING_FLAG_SET_REGISTERS) {
        if (arch == XEN_VM_RING_ARCH_ARM)
            arm_from_event(&verdict->data.arm, &response->data.regs.arm);
        else
            x86_from_event(&verdict->data.x86, &response->data.regs.x86);
    }
    return LEGACY_OK;
}

/*
 * A consumer that sets the registers behind a CPUID, with other results, does
 * not see to what else ends with it; of the shadow of STI nobody can.
 */
static void end_cpuid(const struct xen_vm_ring_event *event,
                      const struct xen_vm_ring_response *verdict,
                      struct legacy_answer *answer)
{
    struct vm_event_regs_x86 *regs = &answer->response.data.regs.x86;

    if (event->reason != XEN_VM_RING_REASON_CPUID ||
        !(verdict->flags & XEN_VM_RING_FLAG_SET_REGISTERS) ||
        regs->rip != event->regs.x86.rip + event->u.cpuid.insn_len)
        return;
    regs->rflags &= ~(uint64_t)RFLAGS_RF;
    if (!(regs->rflags & RFLAGS_TF) || answer->has_inject)
        return;
    answer->has_inject = 1;
    answer->inject = (struct xen_vm_ring_inject){
        .vector = TRAP_DEBUG_EXCEPTION,
        .type = TRAP_HW_EXCEPTION,
        .error_code = NO_ERROR_CODE,
        .cr2 = DR6_BS, /* PENDING_DBG, see inject_again() */
    };
}

int legacy_answer(const struct xen_vm_ring_event *event,
                  const struct xen_vm_ring_response *verdict, uint32_t arch,
                  int paused, struct legacy_answer *answer)
{
    struct xen_vm_ring_response neutral;
    struct legacy_answer out = {{0}, 0, {0}};
    vm_event_response_t *response = &out.response;

    if (!verdict->flags) {
        legacy_neutral(event, arch, &neutral);
        verdict = &neutral;
    }
    if (tail_is_ambiguous(verdict->flags))
        return LEGACY_BAD_VERDICT;

    response->version = VM_EVENT_INTERFACE_VERSION;
    response->reason = event->reason;
    response->vcpu_id = event->vcpu;
    /* Xen acts on flags only of a vCPU that the request has paused. */
    if (paused)
        response->flags = (verdict->flags & LEGACY_FLAGS &
                           ~(uint32_t)XEN_VM_RING_FLAG_FOREIGN) |
                          VM_EVENT_FLAG_VCPU_PAUSED;
    /* DENY reads the register's index here, EMULATE what was violated. */
    data_from_event(event, response);
    if (verdict->flags & XEN_VM_RING_FLAG_ALTERNATE_P2M)
        response->altp2m_idx = verdict->altp2m_idx;
    if (verdict->flags & XEN_VM_RING_FLAG_FAST_SINGLESTEP)
        response->u.fast_singlestep.p2midx = verdict->altp2m_idx;
    if (paused && set_tail(verdict, arch, response) != LEGACY_OK)
        return LEGACY_BAD_VERDICT;
    if (verdict->flags & XEN_VM_RING_FLAG_INJECT) {
        out.has_inject = 1;
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
    return LEGACY_OK;
}
