/* SPDX-License-Identifier: MIT */
/*
 * json.c: events for programs, one JSON object a line.
 */
#include "json.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "../event/names.h"
#include "json_members.h"

static void add_mem_access(struct json_object *o,
                           const struct xen_vm_ring_mem_access *mem)
{
    add_string(o, "access", name_of_access(mem->flags));
    add_hex(o, "gfn", mem->gfn);
    add_hex(o, "offset", mem->offset);
    if (mem->flags & ACCESS_GLA_VALID)
        add_hex(o, "gla", mem->gla);
    if (mem->flags & ACCESS_FAULT_WITH_GLA)
        add_string(o, "fault", "gla");
    else if (mem->flags & ACCESS_FAULT_IN_GPT)
        add_string(o, "fault", "page_walk");
}

static void add_ctrlreg(struct json_object *o,
                        const struct xen_vm_ring_write_ctrlreg *cr)
{
    add_string(o, "register", name_of_ctrlreg(cr->index));
    add_number(o, "index", cr->index);
    add_hex(o, "old", cr->old_value);
    add_hex(o, "new", cr->new_value);
    add_hex(o, "changed", cr->old_value ^ cr->new_value);
}

static void add_msr(struct json_object *o,
                    const struct xen_vm_ring_mov_to_msr *msr)
{
    add_hex(o, "msr", msr->msr);
    add_string(o, "register", name_of_msr(msr->msr));
    add_hex(o, "old", msr->old_value);
    add_hex(o, "new", msr->new_value);
    add_hex(o, "changed", msr->old_value ^ msr->new_value);
}

static void add_debug(struct json_object *o,
                      const struct xen_vm_ring_debug *debug)
{
    add_hex(o, "gfn", debug->gfn);
    add_number(o, "insn_len", debug->insn_len);
    add_number(o, "type", debug->type);
    add_hex(o, "pending_dbg", debug->pending_dbg);
}

static void add_descriptor(struct json_object *o,
                           const struct xen_vm_ring_desc_access *desc)
{
    add_string(o, "register", name_of_descriptor(desc->descriptor));
    add_number(o, "descriptor", desc->descriptor);
    add_boolean(o, "write", desc->is_write);
    add_hex(o, "instr_info", desc->instr_info);
    add_hex(o, "exit_qualification", desc->exit_qualification);
}

static void add_interrupt(struct json_object *o,
                          const struct xen_vm_ring_interrupt *intr)
{
    add_number(o, "vector", intr->vector);
    add_number(o, "type", intr->type);
    add_hex(o, "error_code", intr->error_code);
    add_hex(o, "cr2", intr->cr2);
}

static void add_details(struct json_object *o,
                        const struct xen_vm_ring_event *rec)
{
    switch (rec->reason) {
    case XEN_VM_RING_REASON_CPUID:
        add_hex(o, "leaf", rec->u.cpuid.leaf);
        add_hex(o, "subleaf", rec->u.cpuid.subleaf);
        add_number(o, "insn_len", rec->u.cpuid.insn_len);
        break;
    case XEN_VM_RING_REASON_WRITE_CTRLREG:
        add_ctrlreg(o, &rec->u.write_ctrlreg);
        break;
    case XEN_VM_RING_REASON_MOV_TO_MSR:
        add_msr(o, &rec->u.mov_to_msr);
        break;
    case XEN_VM_RING_REASON_MEM_ACCESS:
        add_mem_access(o, &rec->u.mem_access);
        break;
    case XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT:
    case XEN_VM_RING_REASON_SINGLESTEP:
    case XEN_VM_RING_REASON_DEBUG_EXCEPTION:
        add_debug(o, &rec->u.debug);
        break;
    case XEN_VM_RING_REASON_DESCRIPTOR_ACCESS:
        add_descriptor(o, &rec->u.desc_access);
        break;
    case XEN_VM_RING_REASON_INTERRUPT:
        add_interrupt(o, &rec->u.interrupt);
        break;
    case XEN_VM_RING_REASON_VMEXIT:
        add_hex(o, "exit_reason", rec->u.vmexit.reason);
        add_hex(o, "exit_qualification", rec->u.vmexit.qualification);
        break;
    case XEN_VM_RING_REASON_IO_INSTRUCTION:
        add_number(o, "bytes", rec->u.io.bytes);
        add_hex(o, "port", rec->u.io.port);
        add_boolean(o, "in", rec->u.io.in);
        add_boolean(o, "str", rec->u.io.str);
        break;
    }
}

static void add_registers(struct json_object *o,
                          const struct xen_vm_ring_regs_x86 *r)
{
    struct json_object *regs = json_object_new_object();

    if (!regs)
        return;
#define REGISTER(name) add_hex(regs, #name, r->name)
    REGISTER(rax);
    REGISTER(rbx);
    REGISTER(rcx);
    REGISTER(rdx);
    REGISTER(rsp);
    REGISTER(rbp);
    REGISTER(rsi);
    REGISTER(rdi);
    REGISTER(r8);
    REGISTER(r9);
    REGISTER(r10);
    REGISTER(r11);
    REGISTER(r12);
    REGISTER(r13);
    REGISTER(r14);
    REGISTER(r15);
    REGISTER(rflags);
    REGISTER(rip);
    REGISTER(dr6);
    REGISTER(dr7);
    REGISTER(cr0);
    REGISTER(cr2);
    REGISTER(cr3);
    REGISTER(cr4);
    REGISTER(msr_efer);
    REGISTER(msr_star);
    REGISTER(msr_lstar);
    REGISTER(fs_base);
    REGISTER(gs_base);
    REGISTER(shadow_gs);
    REGISTER(gdtr_base);
#undef REGISTER
    add_object(o, "registers", regs);
}

/* Of an architecture that we do not know. */
static void add_words(struct json_object *o, const union xen_vm_ring_tail *regs)
{
    struct json_object *words = json_object_new_array();

    for (unsigned int i = 0; words && i < XEN_VM_RING_REGS_LEN / 8; i++)
        json_object_array_add(words, new_hex(regs->words[i]));
    add_object(o, "words", words);
}

static void add_tail(struct json_object *o, const struct line *line)
{
    const struct xen_vm_ring_event *rec = &line->event->rec;

    if (rec->length < XEN_VM_RING_EVENT_FULL)
        return;
    if (line->arch != XEN_VM_RING_ARCH_X86) {
        if (line->registers)
            add_words(o, &rec->regs);
        return;
    }
    add_hex(o, "rip", rec->regs.x86.rip);
    if (line->registers)
        add_registers(o, &rec->regs.x86);
    else
        add_hex(o, "cr3", rec->regs.x86.cr3);
}

/* Beside time_ns, the time that text shows. */
static void add_time(struct json_object *o, const struct line *line)
{
    char text[TIMES_LEN];

    if (line->times == TIMES_ABSOLUTE)
        add_string(o, "time", times_wall(text, line->wall, 9));
    else if (line->times == TIMES_DELTA)
        add_number(o, "delta_ns", line->delta);
}

void json_event(struct output *out, const struct line *line)
{
    const struct vmring_event *event = line->event;
    const struct xen_vm_ring_event *rec = &event->rec;
    struct json_object *o = json_object_new_object();

    add_string(o, "event", vmring_reason_name(rec->reason));
    add_number(o, "time_ns", line->time);
    add_time(o, line);
    add_number(o, "vcpu", rec->vcpu);
    add_boolean(o, "sync", event->seq != 0);
    if (line->verdict)
        add_string(o, "verdict", line->late ? "late" : line->verdict);
    else
        add_number(o, "position", (int64_t)event->position);
    add_details(o, rec);
    add_tail(o, line);
    if (rec->flags & XEN_VM_RING_FLAG_ALTERNATE_P2M)
        add_number(o, "altp2m", rec->altp2m_idx);
    if (rec->flags & XEN_VM_RING_FLAG_FOREIGN)
        add_boolean(o, "foreign", true);
    if (rec->flags & XEN_VM_RING_FLAG_REPOSTED)
        add_boolean(o, "reposted", true);
    if (event->epoch_mark)
        add_boolean(o, "drained", true);
    if (event->lost_before)
        add_number(o, "lost_before", event->lost_before);
    write_object(out, o);
}

/* Of one that is destroyed no reason is known, but that it was suspended. */
static const char *reason_of(const struct vmring_event *event)
{
    const char *name = name_of_shutdown(event->shutdown);

    if (event->target == XEN_VM_RING_TARGET_SHUTDOWN)
        return name ? name : "unknown";
    return event->shutdown == XEN_VM_RING_SHUTDOWN_SUSPEND ? name : NULL;
}

void json_target(struct output *out, const struct vmring_event *event,
                 enum times times)
{
    struct json_object *o = json_object_new_object();

    (void)times;
    add_string(o, "target", name_of_target(event->target));
    add_string(o, "reason", reason_of(event));
    write_object(out, o);
}

void json_unordered(struct output *out, const char *line, size_t len)
{
    output_bytes(out, line, len - strlen("}\n"));
    output_text(out, ",\"out_of_order\":true}\n");
}

void json_attached(struct output *out, const struct attached *attached)
{
    const struct vmring_info *info = attached->info;
    struct json_object *o = json_object_new_object();
    struct json_object *a = json_object_new_object();
    bool has_deadline = info->deadline_ns && info->deadline_ns != UINT64_MAX;
    char start[TIMES_LEN];

    add_visible(a, "target", info->target);
    add_visible(a, "endpoint", attached->endpoint);
    add_visible(a, "subscription", attached->events);
    add_string(a, "program", "vmring-agent " VMRING_VERSION_STRING);
    add_number(a, "vcpus", info->nr_vcpus);
    add_number(a, "epoch", (int64_t)info->epoch);
    add_string(a, "policy",
               info->loss_policy == XEN_VM_RING_POLICY_OVERWRITE ? "overwrite"
                                                                 : "discard");
    add_number(a, "async_bytes", (int64_t)info->async_len);
    add_number(a, "record_size", info->record_len);
    add_number(a, "groups", info->nr_groups);
    add_hex(a, "verdicts", info->verdicts);
    add_known(a, "deadline_ns", has_deadline, info->deadline_ns);
    add_string(a, "start", times_wall(start, attached->wall, 9));
    add_known(a, "start_ns", attached->ns_known, attached->ns);
    add_number(o, "version", JSON_VERSION);
    add_object(o, "attached", a);
    write_object(out, o);
}

void json_kinds(struct output *out, const uint64_t *supported)
{
    struct vmring_kind kind;

    for (unsigned int i = 0; vmring_get_kind(i, &kind) == 0; i++) {
        struct json_object *o = json_object_new_object();
        struct json_object *k = json_object_new_object();

        add_string(k, "name", kind.name);
        add_string(k, "form", kind.form);
        add_string(k, "summary", kind.summary);
        add_string(k, "example", kind.example);
        add_string(k, "event", vmring_reason_name(kind.reason));
        add_boolean(k, "sync", kind.modes >> VMRING_MODE_SYNC & 1);
        add_boolean(k, "async", kind.modes >> VMRING_MODE_ASYNC & 1);
        if (supported)
            add_boolean(k, "supported", *supported >> i & 1);
        add_number(o, "version", JSON_VERSION);
        add_object(o, "kind", k);
        write_object(out, o);
    }
}
