/* SPDX-License-Identifier: MIT */
/* convert.c: between the records of vm_event.h and those of vm_ring.h. */
#include "convert.h"

#include "../core/atomic.h"

/* ------------------------------------------------------- registers -- */

/* Every register whose name and meaning are the same in both. */
/* clang-format off */
#define X86_WORDS(EACH)                                                        \
    EACH(rax) EACH(rcx) EACH(rdx) EACH(rbx) EACH(rsp) EACH(rbp) EACH(rsi)      \
    EACH(rdi) EACH(r8) EACH(r9) EACH(r10) EACH(r11) EACH(r12) EACH(r13)        \
    EACH(r14) EACH(r15) EACH(rflags) EACH(dr6) EACH(dr7) EACH(rip) EACH(cr0)   \
    EACH(cr2) EACH(cr3) EACH(cr4) EACH(sysenter_cs) EACH(sysenter_esp)         \
    EACH(sysenter_eip) EACH(msr_efer) EACH(msr_star) EACH(msr_lstar)           \
    EACH(gdtr_base) EACH(npt_base) EACH(vmtrace_pos) EACH(fs_base)             \
    EACH(gs_base) EACH(shadow_gs)
/* Those that share a word in the ring. */
#define X86_PARTS(EACH)                                                        \
    EACH(cs_base) EACH(ss_base) EACH(ds_base) EACH(es_base) EACH(gdtr_limit)   \
    EACH(cs_sel) EACH(ss_sel) EACH(ds_sel) EACH(es_sel) EACH(fs_sel)           \
    EACH(gs_sel)
/* clang-format on */

#define X86_SELECTORS(EACH)                                                    \
    EACH(cs) EACH(ss) EACH(ds) EACH(es) EACH(fs) EACH(gs)

/* One store a word, as `to` may be where others read. */
static void store_halves(void *to, uint32_t low, uint32_t high)
{
    vmr_store_relaxed(to, low | (uint64_t)high << 32);
}

static void store_quarters(void *to, uint16_t first, uint16_t second,
                           uint16_t third, uint16_t fourth)
{
    store_halves(to, first | (uint32_t)second << 16,
                 third | (uint32_t)fourth << 16);
}

static uint32_t selector(struct vm_event_x86_selector_reg from)
{
    return from.limit | (uint32_t)from.ar << 20;
}

static void x86_to_ring(const struct vm_event_regs_x86 *from,
                        struct xen_vm_ring_regs_x86 *to)
{
#define TAKE(reg) vmr_store_relaxed(&to->reg, from->reg);
    X86_WORDS(TAKE)
#undef TAKE
    store_halves(&to->cs_base, from->cs_base, from->ss_base);
    store_halves(&to->ds_base, from->ds_base, from->es_base);
    store_halves(&to->cs, selector(from->cs), selector(from->ss));
    store_halves(&to->ds, selector(from->ds), selector(from->es));
    store_halves(&to->fs, selector(from->fs), selector(from->gs));
    store_quarters(&to->gdtr_limit, from->gdtr_limit, from->cs_sel,
                   from->ss_sel, from->ds_sel);
    /* The last is what registers are known: all. */
    store_quarters(&to->es_sel, from->es_sel, from->fs_sel, from->gs_sel, 0);
}

static void x86_from_ring(const struct xen_vm_ring_regs_x86 *from,
                          struct vm_event_regs_x86 *to)
{
#define TAKE(reg) to->reg = from->reg;
    X86_WORDS(TAKE)
    X86_PARTS(TAKE)
#undef TAKE
#define TAKE(reg)                                                              \
    to->reg.limit = from->reg & 0xfffff;                                       \
    to->reg.ar = from->reg >> 20;
    X86_SELECTORS(TAKE)
#undef TAKE
    to->_pad = 0;
}

static void arm_to_ring(const struct vm_event_regs_arm *from,
                        union xen_vm_ring_tail *to)
{
    size_t words = sizeof(to->arm) / sizeof(to->words[0]);

    vmr_store_relaxed(&to->arm.ttbr0, from->ttbr0);
    vmr_store_relaxed(&to->arm.ttbr1, from->ttbr1);
    vmr_store_relaxed(&to->arm.ttbcr, from->ttbcr);
    vmr_store_relaxed(&to->arm.pc, from->pc);
    vmr_store_relaxed(&to->arm.cpsr, from->cpsr);
    for (; words < sizeof(*to) / sizeof(to->words[0]); words++)
        vmr_store_relaxed(&to->words[words], 0);
}

static void arm_from_ring(const struct xen_vm_ring_regs_arm *from,
                          struct vm_event_regs_arm *to)
{
    to->ttbr0 = from->ttbr0;
    to->ttbr1 = from->ttbr1;
    to->ttbcr = from->ttbcr;
    to->pc = from->pc;
    to->cpsr = from->cpsr;
}

void vm_event_regs_to_ring(const vm_event_request_t *from, uint32_t arch,
                           union xen_vm_ring_tail *to)
{
    if (arch == XEN_VM_RING_ARCH_ARM)
        arm_to_ring(&from->data.regs.arm, to);
    else
        x86_to_ring(&from->data.regs.x86, &to->x86);
}

void vm_event_regs_from_ring(const union xen_vm_ring_tail *from, uint32_t arch,
                             vm_event_request_t *to)
{
    if (arch == XEN_VM_RING_ARCH_ARM)
        arm_from_ring(&from->arm, &to->data.regs.arm);
    else
        x86_from_ring(&from->x86, &to->data.regs.x86);
}

/* --------------------------------------------- what happened, by reason -- */

static void debug_to_ring(const struct vm_event_debug *from,
                          struct xen_vm_ring_debug *to)
{
    to->gfn = from->gfn;
    to->pending_dbg = from->pending_dbg;
    to->insn_len = from->insn_length;
    to->type = from->type;
}

static void debug_from_ring(const struct xen_vm_ring_debug *from,
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
static void io_to_ring(const vm_event_request_t *from,
                       struct xen_vm_ring_io *to)
{
    uint32_t word = from->u.cpuid.leaf;

    to->bytes = from->u.cpuid.insn_length;
    to->port = word & 0xffff;
    to->in = word >> 16 & 0xff;
    to->str = word >> 24;
}

static void io_from_ring(const struct xen_vm_ring_io *from,
                         vm_event_request_t *to)
{
    to->u.cpuid.insn_length = from->bytes;
    to->u.cpuid.leaf =
        (from->port & 0xffff) | (from->in & 0xff) << 16 | from->str << 24;
}

static void data_to_ring(const vm_event_request_t *from,
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
        debug_to_ring(&from->u.software_breakpoint, &to->debug);
        break;
    case VM_EVENT_REASON_DEBUG_EXCEPTION:
        debug_to_ring(&from->u.debug_exception, &to->debug);
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
        io_to_ring(from, &to->io);
        break;
    default:
        break;
    }
}

void vm_event_data_from_ring(const struct xen_vm_ring_event *event,
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
        debug_from_ring(&from->debug, &to->u.software_breakpoint);
        break;
    case XEN_VM_RING_REASON_DEBUG_EXCEPTION:
        debug_from_ring(&from->debug, &to->u.debug_exception);
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
        io_from_ring(&from->io, to);
        break;
    default:
        break;
    }
}

/* ---------------------------------------------------------- requests -- */

enum convert_result vm_event_head_to_ring(const vm_event_request_t *request,
                                          uint32_t nr_vcpus,
                                          struct xen_vm_ring_event *event)
{
    if (request->version != VM_EVENT_INTERFACE_VERSION)
        return CONVERT_BAD_VERSION;
    if (request->vcpu_id >= nr_vcpus)
        return CONVERT_BAD_VCPU;
    if (request->reason > XEN_VM_RING_REASON_IO_INSTRUCTION)
        return CONVERT_BAD_REASON;

    event->state = event->time = 0;
    event->flags = request->flags & VM_EVENT_SAME_FLAGS;
    event->lost = 0;
    event->reason = (uint16_t)request->reason;
    event->vcpu = (uint16_t)request->vcpu_id;
    event->altp2m_idx = request->altp2m_idx;
    event->length = XEN_VM_RING_EVENT_FULL;
    for (size_t i = 0; i < sizeof(event->u) / sizeof(event->u.words[0]); i++)
        event->u.words[i] = 0;
    data_to_ring(request, &event->u);
    return CONVERT_OK;
}

enum convert_result vm_event_to_ring(const vm_event_request_t *request,
                                     uint32_t arch, uint32_t nr_vcpus,
                                     struct xen_vm_ring_event *event)
{
    enum convert_result result =
        vm_event_head_to_ring(request, nr_vcpus, event);

    if (result == CONVERT_OK)
        vm_event_regs_to_ring(request, arch, &event->regs);
    return result;
}

void vm_event_from_ring(const struct xen_vm_ring_event *event, uint32_t arch,
                        vm_event_request_t *request)
{
    vm_event_request_t out = {0};

    out.version = VM_EVENT_INTERFACE_VERSION;
    out.flags = event->flags & VM_EVENT_SAME_FLAGS;
    out.reason = event->reason;
    out.vcpu_id = event->vcpu;
    out.altp2m_idx = event->altp2m_idx;
    vm_event_data_from_ring(event, &out);
    vm_event_regs_from_ring(&event->regs, arch, &out);
    *request = out;
}
