/* SPDX-License-Identifier: MIT */
/*
 * text.c: events, one readable line each.
 *
 *      0.012345678  v3    write_ctrlreg       sync   cr4 0x6b0 -> 0x6b4 ...
 *
 * and on a terminal that is too narrow for that, broken where it has to be:
 *
 *     0.012345 v3  sync  cr4 0x6b0 -> 0x6b4 TSD  rip 0xffffffff8106e044
 */
#include "text.h"

#include <inttypes.h>
#include <string.h>

#include "../event/names.h"
#include "pen.h"

/* From so many columns on there is room for the long form of a line. */
#define WIDE 124

static bool is_narrow(const struct output *out)
{
    return out->columns && out->columns < WIDE;
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

static void ctrlreg(struct pen *pen, const struct xen_vm_ring_event *rec)
{
    const struct xen_vm_ring_write_ctrlreg *cr = &rec->u.write_ctrlreg;
    const char *name = name_of_ctrlreg(cr->index);
    uint64_t changed = cr->old_value ^ cr->new_value;
    char bits[256];

    if (name)
        output_text(pen->out, name);
    else
        output_printf(pen->out, "register %" PRIu32, cr->index);
    pen_piece(pen);
    from_to(pen->out, cr->old_value, cr->new_value);
    /* Bits that differ between two page tables have no meaning. */
    if (name && !strcmp(name, "cr3"))
        return;
    if (names_of_ctrlreg_bits(cr->index, changed, bits, sizeof(bits)) ||
        !is_narrow(pen->out)) {
        pen_piece(pen);
        number(pen->out, ", changed ", changed);
    }
    for (char *at = bits, *end; *at; at = end) {
        size_t len = strcspn(at + 1, "|") + 1;

        pen_piece(pen);
        if (at == bits)
            output_text(pen->out, " ");
        end = at + len;
        output_bytes(pen->out, at, len);
    }
}

static void msr(struct pen *pen, const struct xen_vm_ring_event *rec)
{
    struct output *out = pen->out;
    const struct xen_vm_ring_mov_to_msr *m = &rec->u.mov_to_msr;
    const char *name = name_of_msr(m->msr);

    number(out, "msr ", m->msr);
    if (name) {
        output_text(out, " ");
        output_text(out, name);
    }
    pen_piece(pen);
    from_to(out, m->old_value, m->new_value);
}

static void mem_access(struct pen *pen, const struct xen_vm_ring_event *rec)
{
    struct output *out = pen->out;
    const struct xen_vm_ring_mem_access *mem = &rec->u.mem_access;

    output_printf(out, "%s gfn 0x%" PRIx64 " offset 0x%" PRIx64,
                  name_of_access(mem->flags), mem->gfn, mem->offset);
    pen_piece(pen);
    if (mem->flags & ACCESS_GLA_VALID)
        output_printf(out, " gla 0x%" PRIx64, mem->gla);
    pen_piece(pen);
    if (mem->flags & ACCESS_FAULT_IN_GPT)
        output_printf(out, " in a page walk");
}

static void debug(struct pen *pen, const struct xen_vm_ring_event *rec)
{
    struct output *out = pen->out;
    const struct xen_vm_ring_debug *dbg = &rec->u.debug;
    const char *type = name_of_trap_type(dbg->type);

    output_printf(out, "gfn 0x%" PRIx64, dbg->gfn);
    /* Xen fills in the other members only where it is to be injected. */
    if (rec->reason == XEN_VM_RING_REASON_SINGLESTEP)
        return;
    output_printf(out, " insn_len %" PRIu32, dbg->insn_len);
    if (type)
        output_printf(out, " %s", type);
    pen_piece(pen);
    if (rec->reason == XEN_VM_RING_REASON_DEBUG_EXCEPTION)
        output_printf(out, " pending_dbg 0x%" PRIx64, dbg->pending_dbg);
}

static void descriptor(struct pen *pen, const struct xen_vm_ring_event *rec)
{
    struct output *out = pen->out;
    const struct xen_vm_ring_desc_access *desc = &rec->u.desc_access;
    const char *name = name_of_descriptor(desc->descriptor);

    output_printf(out, "%s %s", desc->is_write ? "load of" : "store of",
                  name ? name : "an unknown register");
    pen_piece(pen);
    if (desc->exit_qualification)
        output_printf(out, " qualification 0x%" PRIx64,
                      desc->exit_qualification);
}

static void interrupt(struct pen *pen, const struct xen_vm_ring_event *rec)
{
    struct output *out = pen->out;
    const struct xen_vm_ring_interrupt *intr = &rec->u.interrupt;
    const char *name = name_of_vector(intr->vector);
    const char *type = name_of_trap_type(intr->type);

    output_printf(out, "vector %" PRIu32, intr->vector);
    if (name)
        output_printf(out, " %s", name);
    if (type)
        output_printf(out, " %s", type);
    pen_piece(pen);
    output_printf(out, " error 0x%" PRIx32, intr->error_code);
    if (intr->vector == 14)
        output_printf(out, " cr2 0x%" PRIx64, intr->cr2);
}

static void io(struct output *out, const struct xen_vm_ring_event *rec)
{
    const struct xen_vm_ring_io *of = &rec->u.io;
    const char *name = of->in ? "in" : "out";

    output_printf(out, "%s%s port 0x%" PRIx32 " bytes %" PRIu32, name,
                  of->str ? "s" : "", of->port, of->bytes);
}

static void details(struct pen *pen, const struct xen_vm_ring_event *rec)
{
    struct output *out = pen->out;

    switch (rec->reason) {
    case XEN_VM_RING_REASON_CPUID:
        number(out, "leaf ", rec->u.cpuid.leaf);
        number(out, " subleaf ", rec->u.cpuid.subleaf);
        break;
    case XEN_VM_RING_REASON_WRITE_CTRLREG:
        ctrlreg(pen, rec);
        break;
    case XEN_VM_RING_REASON_MOV_TO_MSR:
        msr(pen, rec);
        break;
    case XEN_VM_RING_REASON_MEM_ACCESS:
        mem_access(pen, rec);
        break;
    case XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT:
    case XEN_VM_RING_REASON_SINGLESTEP:
    case XEN_VM_RING_REASON_DEBUG_EXCEPTION:
        debug(pen, rec);
        break;
    case XEN_VM_RING_REASON_DESCRIPTOR_ACCESS:
        descriptor(pen, rec);
        break;
    case XEN_VM_RING_REASON_INTERRUPT:
        interrupt(pen, rec);
        break;
    case XEN_VM_RING_REASON_VMEXIT:
        number(out, "reason ", rec->u.vmexit.reason);
        pen_piece(pen);
        number(out, " qualification ", rec->u.vmexit.qualification);
        break;
    case XEN_VM_RING_REASON_IO_INSTRUCTION:
        io(out, rec);
        break;
    }
}

static void registers(struct pen *pen, const struct xen_vm_ring_event *rec)
{
    const struct xen_vm_ring_regs_x86 *r = &rec->regs.x86;
    const struct {
        const char *name;
        uint64_t value;
    } all[] = {
        {" rax ", r->rax},       {" rbx ", r->rbx}, {" rcx ", r->rcx},
        {" rdx ", r->rdx},       {" rsi ", r->rsi}, {" rdi ", r->rdi},
        {" rsp ", r->rsp},       {" rbp ", r->rbp}, {" rflags ", r->rflags},
        {" cr0 ", r->cr0},       {" cr3 ", r->cr3}, {" cr4 ", r->cr4},
        {" efer ", r->msr_efer},
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        number(pen->out, all[i].name, all[i].value);
        pen_piece(pen);
    }
}

/* Of an architecture that we do not know, by their places. */
static void words(struct pen *pen, const struct xen_vm_ring_event *rec)
{
    for (unsigned int i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++) {
        if (i % 4 == 0)
            output_printf(pen->out, " word %u", i);
        number(pen->out, " ", rec->regs.words[i]);
        pen_piece(pen);
    }
}

static void mode(struct pen *pen, const char *verdict)
{
    const char *colour = "", *word = "sync";

    if (!verdict) {
        colour = PEN_DIM;
        word = "async";
    } else if (strcmp(verdict, "neutral")) {
        colour = PEN_RED;
        word = verdict;
    }
    pen_paint(pen, colour);
    output_printf(pen->out, "%-5s", word);
    pen_paint(pen, PEN_RESET);
}

/* Columns of the time, without the blanks after it. */
static int time_width(const struct output *out, enum times times)
{
    if (times == TIMES_ABSOLUTE)
        return is_narrow(out) ? 16 : 30;
    return is_narrow(out) ? 12 : 16;
}

static void when(struct pen *pen, const struct line *line)
{
    int digits = is_narrow(pen->out) ? 6 : 9;
    char text[TIMES_LEN];

    if (line->times == TIMES_ABSOLUTE)
        times_wall(text, line->wall, digits);
    else
        times_seconds(text,
                      line->times == TIMES_DELTA ? line->delta : line->time,
                      digits);
    pen_paint(pen, PEN_DIM);
    output_printf(pen->out, "%*s", time_width(pen->out, line->times), text);
    pen_paint(pen, PEN_RESET);
}

/* The beginning of each line. */
static void head(struct pen *pen, const struct line *line)
{
    const struct xen_vm_ring_event *rec = &line->event->rec;
    const char *reason = vmring_reason_name(rec->reason);

    when(pen, line);
    output_printf(pen->out, "  v%-4u ", rec->vcpu);
    pen_paint(pen, PEN_CYAN);
    output_printf(pen->out, "%-20s", reason ? reason : "unknown");
    pen_paint(pen, PEN_RESET);
    mode(pen, line->verdict);
    output_text(pen->out, "  ");
}

/* Registers name themselves. */
static void narrow_head(struct pen *pen, const struct line *line)
{
    const struct xen_vm_ring_event *rec = &line->event->rec;
    const char *kind = name_of_kind(rec->reason);

    when(pen, line);
    output_printf(pen->out, " v%-2u ", rec->vcpu);
    mode(pen, line->verdict);
    output_text(pen->out, " ");
    if (rec->reason == XEN_VM_RING_REASON_WRITE_CTRLREG ||
        rec->reason == XEN_VM_RING_REASON_MOV_TO_MSR)
        return;
    pen_paint(pen, PEN_CYAN);
    output_text(pen->out, kind ? kind : "unknown");
    pen_paint(pen, PEN_RESET);
    output_text(pen->out, " ");
    pen_piece(pen);
}

/* Columns before what is said of the event itself. */
static unsigned int head_width(const struct output *out, enum times times)
{
    return (unsigned int)time_width(out, times) + (is_narrow(out) ? 11 : 35);
}

static void marks(struct pen *pen, const struct line *line)
{
    const struct xen_vm_ring_event *rec = &line->event->rec;

    if (line->event->epoch_mark) {
        output_text(pen->out, "  [from before this agent]");
        pen_piece(pen);
    }
    if (rec->flags & XEN_VM_RING_FLAG_REPOSTED) {
        output_text(pen->out, "  [seen by an earlier agent, perhaps]");
        pen_piece(pen);
    }
    if (line->late)
        output_text(pen->out, "  [too late]");
}

static void lost_here(struct output *out, const struct line *line)
{
    struct pen pen = pen_at(out, out->columns, 4);

    pen_paint(&pen, PEN_YELLOW);
    output_printf(out, "%*sv%-*u %" PRIu32 " lost here",
                  time_width(out, line->times) + (is_narrow(out) ? 1 : 2), "",
                  is_narrow(out) ? 2 : 4, line->event->rec.vcpu,
                  line->event->lost_before);
    pen_paint(&pen, PEN_RESET);
    pen_end(&pen);
}

void text_event(struct output *out, const struct line *line)
{
    const struct xen_vm_ring_event *rec = &line->event->rec;
    bool is_x86 = line->arch == XEN_VM_RING_ARCH_X86;
    struct pen pen;
    size_t before;
    bool is_bare; /* nothing is said of the event itself */

    if (line->event->lost_before)
        lost_here(out, line);
    pen = pen_at(out, out->columns, head_width(out, line->times));
    if (is_narrow(out))
        narrow_head(&pen, line);
    else
        head(&pen, line);
    pen_piece(&pen);
    before = output_held(out);
    details(&pen, rec);
    is_bare = output_held(out) == before;
    pen_piece(&pen);
    if (rec->flags & XEN_VM_RING_FLAG_ALTERNATE_P2M)
        output_printf(out, "%saltp2m %u", is_bare ? "" : " ", rec->altp2m_idx);
    is_bare &= !(rec->flags & XEN_VM_RING_FLAG_ALTERNATE_P2M);
    pen_piece(&pen);
    if (rec->length >= XEN_VM_RING_EVENT_FULL && is_x86) {
        output_text(out, is_bare ? "" : is_narrow(out) ? " " : "  ");
        pen_paint(&pen, PEN_DIM);
        number(out, "rip ", rec->regs.x86.rip);
        pen_paint(&pen, PEN_RESET);
        pen_piece(&pen);
    }
    marks(&pen, line);
    if (line->registers && rec->length >= XEN_VM_RING_EVENT_FULL)
        (is_x86 ? registers : words)(&pen, rec);
    pen_end(&pen);
}

/* On a terminal there may be no room for the mark. */
void text_unordered(struct output *out, const char *line, size_t len)
{
    output_bytes(out, line, len - strlen("\n"));
    if (out->columns)
        output_printf(out, "\n%13s", "");
    output_text(out, "  [out of order]\n");
}

void text_target(struct output *out, const struct vmring_event *event,
                 enum times times)
{
    const char *reason = name_of_shutdown(event->shutdown);
    struct pen pen = pen_at(out, 0, 0);

    pen_paint(&pen, PEN_YELLOW);
    output_printf(out, "%*starget %s",
                  time_width(out, times) + (is_narrow(out) ? 1 : 2), "",
                  name_of_target(event->target));
    if (event->target == XEN_VM_RING_TARGET_SHUTDOWN)
        output_printf(out, " (%s)", reason ? reason : "unknown");
    else if (event->shutdown == XEN_VM_RING_SHUTDOWN_SUSPEND)
        output_text(out, " (suspend)");
    pen_paint(&pen, PEN_RESET);
    pen_end(&pen);
}
