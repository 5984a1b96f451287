/* SPDX-License-Identifier: MIT */
/*
 * fields.c: one table of what of an event can be compared.  Where reasons have
 * a field of the same name in different places, a row of each.
 */
#include "fields.h"

#include <errno.h>
#include <string.h>

#include "names.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/* A register may be of three kinds: what it is called tells them apart. */
#define REGISTER_DESCRIPTOR (UINT64_C(1) << 32)
#define REGISTER_MSR        (UINT64_C(2) << 32)

#define NR_CTRLREGS    4
#define NR_DESCRIPTORS 5
#define NR_TRAP_TYPES  7
#define NR_VECTORS     22
#define NR_ACCESSES    8

static const char *nth_event(unsigned int i, uint64_t *value)
{
    struct vmring_kind kind;

    *value = i;
    if (i < XEN_VM_RING_NR_REASONS)
        return vmring_reason_name(i);
    i -= XEN_VM_RING_NR_REASONS;
    if (vmring_get_kind(i, &kind)) {
        /* After the last of them the other name that -e has for one. */
        *value = XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT;
        return vmring_get_kind(i - 1, &kind) ? NULL : "int3";
    }
    *value = kind.reason;
    /* As -e has them, but for those that are one register of several. */
    return kind.reason == XEN_VM_RING_REASON_WRITE_CTRLREG ? "" : kind.name;
}

static const char *nth_msr(unsigned int i, uint64_t *value)
{
    return name_of_nth_msr(i, value);
}

/* A number between those that have names is called nothing. */
static const char *or_nothing(const char *name)
{
    return name ? name : "";
}

static const char *nth_register(unsigned int i, uint64_t *value)
{
    const char *name;

    if (i < NR_CTRLREGS) {
        *value = i;
        return name_of_ctrlreg(i);
    }
    i -= NR_CTRLREGS;
    if (i < NR_DESCRIPTORS) {
        *value = REGISTER_DESCRIPTOR | i;
        return or_nothing(name_of_descriptor(i));
    }
    name = name_of_nth_msr(i - NR_DESCRIPTORS, value);
    *value |= REGISTER_MSR;
    return name;
}

static const char *nth_descriptor(unsigned int i, uint64_t *value)
{
    *value = i;
    return i < NR_DESCRIPTORS ? or_nothing(name_of_descriptor(i)) : NULL;
}

static const char *nth_trap_type(unsigned int i, uint64_t *value)
{
    *value = i;
    return i < NR_TRAP_TYPES ? or_nothing(name_of_trap_type(i)) : NULL;
}

static const char *nth_vector(unsigned int i, uint64_t *value)
{
    *value = i;
    return i < NR_VECTORS ? or_nothing(name_of_vector(i)) : NULL;
}

static const char *nth_access(unsigned int i, uint64_t *value)
{
    *value = i;
    return i < NR_ACCESSES ? name_of_access(i) : NULL;
}

static const char *nth_fault(unsigned int i, uint64_t *value)
{
    static const char *const names[] = {"gla", "page_walk"};

    *value = i + 1;
    return i < NR(names) ? names[i] : NULL;
}

static const char *nth_boolean(unsigned int i, uint64_t *value)
{
    static const char *const names[] = {"false", "true"};

    *value = i;
    return i < NR(names) ? names[i] : NULL;
}

/* Where the value is. */
enum place {
    WHOLE,     /* of every event */
    DETAIL,    /* of an event with one of these reasons */
    REGISTERS, /* of one with registers */
    REGISTER,  /* and what else takes more than a look, see special() */
    CHANGED,
    ACCESS,
    GLA,
    FAULT,
    SYNC,
    POSITION,
    ALTP2M,
    FOREIGN,
    REPOSTED,
    DRAINED,
    LOST_BEFORE,
};

#define BIT(REASON) (1U << XEN_VM_RING_REASON_##REASON)
#define CR          BIT(WRITE_CTRLREG)
#define MSR         BIT(MOV_TO_MSR)
#define MEM         BIT(MEM_ACCESS)
#define DESC        BIT(DESCRIPTOR_ACCESS)
#define IO          BIT(IO_INSTRUCTION)
#define TRAPS                                                                  \
    (BIT(SOFTWARE_BREAKPOINT) | BIT(SINGLESTEP) | BIT(DEBUG_EXCEPTION))

#define AT(MEMBER)                                                             \
    .offset = offsetof(struct xen_vm_ring_event, MEMBER),                      \
    .size = sizeof(((struct xen_vm_ring_event *)NULL)->MEMBER)
#define IN(REASONS, MEMBER) .place = DETAIL, .reasons = (REASONS), AT(u.MEMBER)
#define REG(NAME, MEANING)                                                     \
    {                                                                          \
        .field = {#NAME, MEANING, NULL, false}, .place = REGISTERS,            \
        AT(regs.x86.NAME)                                                      \
    }

static const struct row {
    struct field field; /* no name: another place of the one before */
    enum place place;
    uint32_t reasons;
    uint16_t offset, size;
} rows[] = {
    {.field = {"event", "what happened, as in -e help", nth_event, true},
     .place = WHOLE,
     AT(reason)},
    {.field = {"vcpu", "whose it is", NULL, false}, .place = WHOLE, AT(vcpu)},
    {.field = {"sync", "true: its vCPU waited", nth_boolean, false},
     .place = SYNC},
    {.field = {"position", "in its lane, if it did not", NULL, false},
     .place = POSITION},

    {.field = {"leaf", "of cpuid: EAX", NULL, false},
     IN(BIT(CPUID), cpuid.leaf)},
    {.field = {"subleaf", "of cpuid: ECX", NULL, false},
     IN(BIT(CPUID), cpuid.subleaf)},
    {.field = {"insn_len", "bytes of the instruction", NULL, false},
     IN(BIT(CPUID), cpuid.insn_len)},
    {IN(TRAPS, debug.insn_len)},

    {.field = {"register", "that is written or loaded: cr4, lstar, idtr...",
               nth_register, true},
     .place = REGISTER,
     .reasons = CR | MSR | DESC},
    {.field = {"index", "of a control register", NULL, false},
     IN(CR, write_ctrlreg.index)},
    {.field = {"msr", "its number, or name: efer, lstar...", nth_msr, false},
     IN(MSR, mov_to_msr.msr)},
    {.field = {"old", "value of the register, before", NULL, false},
     IN(CR, write_ctrlreg.old_value)},
    {IN(MSR, mov_to_msr.old_value)},
    {.field = {"new", "value of the register, written", NULL, false},
     IN(CR, write_ctrlreg.new_value)},
    {IN(MSR, mov_to_msr.new_value)},
    {.field = {"changed", "bits that differ between them", NULL, false},
     .place = CHANGED,
     .reasons = CR | MSR},

    {.field = {"access", "to memory: r, w, x, rw... or none", nth_access,
               false},
     .place = ACCESS,
     .reasons = MEM},
    {.field = {"gfn", "guest frame", NULL, false}, IN(MEM, mem_access.gfn)},
    {IN(TRAPS, debug.gfn)},
    {.field = {"offset", "in that frame", NULL, false},
     IN(MEM, mem_access.offset)},
    {.field = {"gla", "guest linear address, if known", NULL, false},
     .place = GLA,
     .reasons = MEM},
    {.field = {"fault", "gla, or page_walk", nth_fault, false},
     .place = FAULT,
     .reasons = MEM},

    {.field = {"type", "of a trap: hw_exc, sw_int...", nth_trap_type, false},
     IN(TRAPS, debug.type)},
    {IN(BIT(INTERRUPT), interrupt.type)},
    {.field = {"pending_dbg", "pending debug exceptions", NULL, false},
     IN(TRAPS, debug.pending_dbg)},
    {.field = {"descriptor", "table: idtr, gdtr, ldtr, tr", nth_descriptor,
               false},
     IN(DESC, desc_access.descriptor)},
    {.field = {"write", "true: it is loaded", nth_boolean, false},
     IN(DESC, desc_access.is_write)},
    {.field = {"instr_info", "of that instruction, from the CPU", NULL, false},
     IN(DESC, desc_access.instr_info)},
    {.field = {"vector", "of an interrupt, or #PF...", nth_vector, false},
     IN(BIT(INTERRUPT), interrupt.vector)},
    {.field = {"error_code", "of an interrupt", NULL, false},
     IN(BIT(INTERRUPT), interrupt.error_code)},
    {.field = {"exit_reason", "of a VM exit", NULL, false},
     IN(BIT(VMEXIT), vmexit.reason)},
    {.field = {"exit_qualification", "of a VM exit or descriptor access", NULL,
               false},
     IN(BIT(VMEXIT), vmexit.qualification)},
    {IN(DESC, desc_access.exit_qualification)},
    {.field = {"port", "of an I/O instruction", NULL, false}, IN(IO, io.port)},
    {.field = {"bytes", "that it moves at once", NULL, false},
     IN(IO, io.bytes)},
    {.field = {"in", "true: from the port", nth_boolean, false}, IN(IO, io.in)},
    {.field = {"str", "true: INS or OUTS", nth_boolean, false}, IN(IO, io.str)},

    REG(rip, "where the vCPU is"),
    REG(cr3, "its address space"),
    REG(cr0, ""),
    {.field = {"cr2", "of a page fault", NULL, false},
     IN(BIT(INTERRUPT), interrupt.cr2)},
    {.place = REGISTERS, AT(regs.x86.cr2)},
    REG(cr4, ""),
    REG(rax, ""),
    REG(rbx, ""),
    REG(rcx, ""),
    REG(rdx, ""),
    REG(rsp, ""),
    REG(rbp, ""),
    REG(rsi, ""),
    REG(rdi, ""),
    REG(r8, ""),
    REG(r9, ""),
    REG(r10, ""),
    REG(r11, ""),
    REG(r12, ""),
    REG(r13, ""),
    REG(r14, ""),
    REG(r15, ""),
    REG(rflags, ""),
    REG(dr6, ""),
    REG(dr7, ""),
    REG(msr_efer, ""),
    REG(msr_star, ""),
    REG(msr_lstar, ""),
    REG(fs_base, ""),
    REG(gs_base, ""),
    REG(shadow_gs, ""),
    REG(gdtr_base, ""),

    {.field = {"altp2m", "view of the guest's memory", NULL, false},
     .place = ALTP2M},
    {.field = {"foreign", "true: another vCPU's doing", nth_boolean, false},
     .place = FOREIGN},
    {.field = {"reposted", "true: seen by an agent before, perhaps",
               nth_boolean, false},
     .place = REPOSTED},
    {.field = {"drained", "true: left by an agent before", nth_boolean, false},
     .place = DRAINED},
    {.field = {"lost_before", "how many were lost just before it", NULL, false},
     .place = LOST_BEFORE},
};

const struct field *field_at(unsigned int i)
{
    return i < NR(rows) ? &rows[i].field : NULL;
}

int field_named(const char *word, size_t len)
{
    /* Its name in other tools, and here in the ledger. */
    if (len == 6 && !memcmp(word, "reason", 6))
        return 0;
    for (unsigned int i = 0; i < NR(rows); i++) {
        const char *name = rows[i].field.name;

        if (name && strlen(name) == len && !memcmp(name, word, len))
            return (int)i;
    }
    return -ENOENT;
}

static uint64_t load(const struct row *row, const struct xen_vm_ring_event *rec)
{
    const char *at = (const char *)rec + row->offset;
    uint64_t value;
    uint32_t word;
    uint16_t half;

    switch (row->size) {
    case sizeof(half):
        memcpy(&half, at, sizeof(half));
        return half;
    case sizeof(word):
        memcpy(&word, at, sizeof(word));
        return word;
    }
    memcpy(&value, at, sizeof(value));
    return value;
}

static uint64_t register_of(const struct xen_vm_ring_event *rec)
{
    switch (rec->reason) {
    case XEN_VM_RING_REASON_WRITE_CTRLREG:
        return rec->u.write_ctrlreg.index;
    case XEN_VM_RING_REASON_MOV_TO_MSR:
        return REGISTER_MSR | (uint32_t)rec->u.mov_to_msr.msr;
    }
    return REGISTER_DESCRIPTOR | rec->u.desc_access.descriptor;
}

static uint64_t changed(const struct xen_vm_ring_event *rec)
{
    return rec->reason == XEN_VM_RING_REASON_MOV_TO_MSR
               ? rec->u.mov_to_msr.old_value ^ rec->u.mov_to_msr.new_value
               : rec->u.write_ctrlreg.old_value ^
                     rec->u.write_ctrlreg.new_value;
}

/* Values that are not simply a member of the record. */
static bool special(enum place place, const struct vmring_event *event,
                    uint64_t *value)
{
    const struct xen_vm_ring_event *rec = &event->rec;
    uint32_t flags = rec->u.mem_access.flags;

    switch (place) {
    case REGISTER:
        *value = register_of(rec);
        return true;
    case CHANGED:
        *value = changed(rec);
        return true;
    case ACCESS:
        *value = flags & 7;
        return true;
    case GLA:
        *value = rec->u.mem_access.gla;
        return flags & ACCESS_GLA_VALID;
    case FAULT:
        *value = (flags & ACCESS_FAULT_WITH_GLA) ? 1 : 2;
        return flags & (ACCESS_FAULT_WITH_GLA | ACCESS_FAULT_IN_GPT);
    case POSITION:
        *value = event->position;
        return !event->seq;
    case ALTP2M:
        *value = rec->altp2m_idx;
        return rec->flags & XEN_VM_RING_FLAG_ALTERNATE_P2M;
    case SYNC:
        *value = event->seq != 0;
        return true;
    case FOREIGN:
        *value = (rec->flags & XEN_VM_RING_FLAG_FOREIGN) != 0;
        return true;
    case REPOSTED:
        *value = (rec->flags & XEN_VM_RING_FLAG_REPOSTED) != 0;
        return true;
    case DRAINED:
        *value = event->epoch_mark != 0;
        return true;
    default:
        *value = event->lost_before;
        return true;
    }
}

static bool row_value(const struct row *row, const struct vmring_event *event,
                      uint32_t arch, uint64_t *value)
{
    const struct xen_vm_ring_event *rec = &event->rec;

    if (row->reasons && (rec->reason >= XEN_VM_RING_NR_REASONS ||
                         !(row->reasons >> rec->reason & 1)))
        return false;
    switch (row->place) {
    case REGISTERS:
        if (rec->length < XEN_VM_RING_EVENT_FULL ||
            arch != XEN_VM_RING_ARCH_X86)
            return false;
        *value = load(row, rec);
        return true;
    case WHOLE:
    case DETAIL:
        *value = load(row, rec);
        return true;
    default:
        return special(row->place, event, value);
    }
}

bool field_value(unsigned int i, const struct vmring_event *event,
                 uint32_t arch, uint64_t *value)
{
    do {
        if (row_value(&rows[i], event, arch, value))
            return true;
        i++;
    } while (i < NR(rows) && !rows[i].field.name);
    return false;
}
