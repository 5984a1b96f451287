/* SPDX-License-Identifier: MIT */
/*
 * text.c: events, one readable line each.
 *
 *      0.012345678  v3    write_ctrlreg       sync   cr4 0x6b0 -> 0x6b4 ...
 */
#include "text.h"

#include <inttypes.h>
#include <string.h>

#include "names.h"

#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define CYAN   "\033[36m"
#define DIM    "\033[2m"
#define RESET  "\033[0m"

static const char *paint(const struct output *out, const char *colour)
{
    return out->colour ? colour : "";
}

static void number(struct output *out, const char *name, uint64_t value)
{
    output_text(out, name);
    output_hex(out, value);
}

static void from_to(struct output *out, uint64_t old_value, uint64_t new_value)
{
    number(out, " ", old_value);
    number(out, " -> ", new_value);
}

static void ctrlreg(struct output *out, const struct xen_vm_ring_event *rec)
{
    const struct xen_vm_ring_write_ctrlreg *cr = &rec->u.write_ctrlreg;
    const char *name = name_of_ctrlreg(cr->index);
    uint64_t changed = cr->old_value ^ cr->new_value;
    char bits[256];

    if (name)
        output_text(out, name);
    else
        output_printf(out, "register %" PRIu32, cr->index);
    from_to(out, cr->old_value, cr->new_value);
    /* Which bits differ between two page tables tells nobody anything. */
    if (name && !strcmp(name, "cr3"))
        return;
    number(out, ", changed ", changed);
    if (*names_of_ctrlreg_bits(cr->index, changed, bits, sizeof(bits)))
        output_printf(out, " %s", bits);
}

static void msr(struct output *out, const struct xen_vm_ring_event *rec)
{
    const struct xen_vm_ring_mov_to_msr *m = &rec->u.mov_to_msr;
    const char *name = name_of_msr(m->msr);

    number(out, "msr ", m->msr);
    if (name) {
        output_text(out, " ");
        output_text(out, name);
    }
    from_to(out, m->old_value, m->new_value);
}

static void mem_access(struct output *out, const struct xen_vm_ring_event *rec)
{
    const struct xen_vm_ring_mem_access *mem = &rec->u.mem_access;

    output_printf(out, "%s gfn 0x%" PRIx64 " offset 0x%" PRIx64,
                  name_of_access(mem->flags), mem->gfn, mem->offset);
    if (mem->flags & ACCESS_GLA_VALID)
        output_printf(out, " gla 0x%" PRIx64, mem->gla);
    if (mem->flags & ACCESS_FAULT_IN_GPT)
        output_printf(out, " in a page walk");
}

static void debug(struct output *out, const struct xen_vm_ring_event *rec)
{
    const struct xen_vm_ring_debug *dbg = &rec->u.debug;
    const char *type = name_of_trap_type(dbg->type);

    output_printf(out, "gfn 0x%" PRIx64, dbg->gfn);
    /* Xen fills the rest in only where an exception is to be injected. */
    if (rec->reason == XEN_VM_RING_REASON_SINGLESTEP)
        return;
    output_printf(out, " insn_len %" PRIu32, dbg->insn_len);
    if (type)
        output_printf(out, " %s", type);
    if (rec->reason == XEN_VM_RING_REASON_DEBUG_EXCEPTION)
        output_printf(out, " pending_dbg 0x%" PRIx64, dbg->pending_dbg);
}

static void descriptor(struct output *out, const struct xen_vm_ring_event *rec)
{
    const struct xen_vm_ring_desc_access *desc = &rec->u.desc_access;
    const char *name = name_of_descriptor(desc->descriptor);

    output_printf(out, "%s %s", desc->is_write ? "load of" : "store of",
                  name ? name : "an unknown register");
    if (desc->exit_qualification)
        output_printf(out, " qualification 0x%" PRIx64,
                      desc->exit_qualification);
}

static void interrupt(struct output *out, const struct xen_vm_ring_event *rec)
{
    const struct xen_vm_ring_interrupt *intr = &rec->u.interrupt;
    const char *name = name_of_vector(intr->vector);
    const char *type = name_of_trap_type(intr->type);

    output_printf(out, "vector %" PRIu32, intr->vector);
    if (name)
        output_printf(out, " %s", name);
    if (type)
        output_printf(out, " %s", type);
    output_printf(out, " error 0x%" PRIx32, intr->error_code);
    if (intr->vector == 14)
        output_printf(out, " cr2 0x%" PRIx64, intr->cr2);
}

static void details(struct output *out, const struct xen_vm_ring_event *rec)
{
    switch (rec->reason) {
    case XEN_VM_RING_REASON_CPUID:
        number(out, "leaf ", rec->u.cpuid.leaf);
        number(out, " subleaf ", rec->u.cpuid.subleaf);
        break;
    case XEN_VM_RING_REASON_WRITE_CTRLREG:
        ctrlreg(out, rec);
        break;
    case XEN_VM_RING_REASON_MOV_TO_MSR:
        msr(out, rec);
        break;
    case XEN_VM_RING_REASON_MEM_ACCESS:
        mem_access(out, rec);
        break;
    case XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT:
    case XEN_VM_RING_REASON_SINGLESTEP:
    case XEN_VM_RING_REASON_DEBUG_EXCEPTION:
        debug(out, rec);
        break;
    case XEN_VM_RING_REASON_DESCRIPTOR_ACCESS:
        descriptor(out, rec);
        break;
    case XEN_VM_RING_REASON_INTERRUPT:
        interrupt(out, rec);
        break;
    case XEN_VM_RING_REASON_VMEXIT:
        output_printf(out, "exit %" PRIu64 " qualification 0x%" PRIx64,
                      rec->u.vmexit.reason, rec->u.vmexit.qualification);
        break;
    }
}

static void registers(struct output *out, const struct xen_vm_ring_event *rec)
{
    const struct xen_vm_ring_regs_x86 *r = &rec->regs.x86;

    output_printf(out,
                  "\n%18srax 0x%" PRIx64 " rbx 0x%" PRIx64 " rcx 0x%" PRIx64
                  " rdx 0x%" PRIx64 " rsi 0x%" PRIx64 " rdi 0x%" PRIx64,
                  "", r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi);
    output_printf(out,
                  "\n%18srsp 0x%" PRIx64 " rbp 0x%" PRIx64 " rflags 0x%" PRIx64
                  " cr0 0x%" PRIx64 " cr3 0x%" PRIx64 " cr4 0x%" PRIx64
                  " efer 0x%" PRIx64,
                  "", r->rsp, r->rbp, r->rflags, r->cr0, r->cr3, r->cr4,
                  r->msr_efer);
}

/* Of an architecture that we do not know, by their places. */
static void words(struct output *out, const struct xen_vm_ring_event *rec)
{
    for (unsigned int i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++) {
        if (i % 4 == 0)
            output_printf(out, "\n%18sword %-2u", "", i);
        output_printf(out, " 0x%" PRIx64, rec->regs.words[i]);
    }
}

static void mode(struct output *out, const char *verdict)
{
    const char *colour = "", *word = "sync ";

    if (!verdict) {
        colour = DIM;
        word = "async";
    } else if (strcmp(verdict, "neutral")) {
        output_printf(out, "%s%-5s%s  ", paint(out, RED), verdict,
                      paint(out, RESET));
        return;
    }
    output_text(out, paint(out, colour));
    output_text(out, word);
    output_text(out, paint(out, RESET));
    output_text(out, "  ");
}

void text_event(struct output *out, const struct line *line)
{
    const struct xen_vm_ring_event *rec = &line->event->rec;
    const char *reason = vmring_reason_name(rec->reason);
    int64_t time = line->time < 0 ? -line->time : line->time;
    bool is_x86 = line->arch == XEN_VM_RING_ARCH_X86;

    if (line->event->lost_before)
        output_printf(out, "%s%18sv%-4u %" PRIu32 " lost here%s\n",
                      paint(out, YELLOW), "", rec->vcpu,
                      line->event->lost_before, paint(out, RESET));

    /* A sign of its own: -0.5 s has no integer part to carry it. */
    output_printf(out, "%s%c%5" PRId64 ".%09" PRId64 "%s  v%-4u %s%-20s%s",
                  paint(out, DIM), line->time < 0 ? '-' : ' ',
                  time / 1000000000, time % 1000000000, paint(out, RESET),
                  rec->vcpu, paint(out, CYAN), reason ? reason : "unknown",
                  paint(out, RESET));
    mode(out, line->verdict);
    details(out, rec);
    if (rec->flags & XEN_VM_RING_FLAG_ALTERNATE_P2M)
        output_printf(out, " altp2m %u", rec->altp2m_idx);
    if (rec->length >= XEN_VM_RING_EVENT_FULL && is_x86) {
        output_text(out, paint(out, DIM));
        number(out, "  rip ", rec->regs.x86.rip);
        output_text(out, paint(out, RESET));
    }
    if (line->event->epoch_mark)
        output_printf(out, "  [from before this agent]");
    if (rec->flags & XEN_VM_RING_FLAG_REPOSTED)
        output_printf(out, "  [seen by an earlier agent, perhaps]");
    if (line->late)
        output_printf(out, "  [too late]");
    if (line->registers && rec->length >= XEN_VM_RING_EVENT_FULL)
        (is_x86 ? registers : words)(out, rec);
    output_bytes(out, "\n", 1);
}

void text_target(struct output *out, const struct vmring_event *event)
{
    const char *reason = name_of_shutdown(event->shutdown);

    output_printf(out, "%s%18starget %s", paint(out, YELLOW), "",
                  name_of_target(event->target));
    if (event->target == XEN_VM_RING_TARGET_SHUTDOWN)
        output_printf(out, " (%s)", reason ? reason : "unknown");
    else if (event->shutdown == XEN_VM_RING_SHUTDOWN_SUSPEND)
        output_text(out, " (suspend)");
    output_text(out, paint(out, RESET));
    output_bytes(out, "\n", 1);
}
