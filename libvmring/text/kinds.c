/* SPDX-License-Identifier: MIT */
/*
 * kinds.c: one table of everything that Xen can be asked to report.  A new
 * kind goes to the end: the bits of vmring_supported() count them.
 *
 * Which of it can be asynchronous follows from the `sync` argument of
 * monitor_traps() at its callers in Xen: a choice for control registers,
 * guest requests, debug exceptions and VM exits, true for all others.
 */
#include "kinds.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define NR(array) (sizeof(array) / sizeof(*(array)))

#define SYNC  (1u << VMRING_MODE_SYNC)
#define ASYNC (1u << VMRING_MODE_ASYNC)

/* VM_EVENT_X86_* of vm_event.h */
#define CR0  0
#define CR3  1
#define CR4  2
#define XCR0 3

/* Xen's bitmaps of watched MSRs: no range that it can arm is longer. */
#define MAX_MSRS 0x2000

/* Guest-physical addresses have 52 bits at most. */
#define MAX_GFN ((UINT64_C(1) << 40) - 1)

static const char *parse_range(struct word word, uint64_t max,
                               const char *above, struct vmring_spec *spec)
{
    struct word first;
    bool range = word_cut(&word, '-', &first);
    int err = word_number(first, max, &spec->first);

    spec->last = spec->first;
    if (!err && range)
        err = word_number(word, max, &spec->last);
    if (err)
        return err == -ERANGE ? above : "no number in";
    return spec->first > spec->last ? "range upside down in" : NULL;
}

static int format_range(const struct vmring_spec *spec, char *text, size_t len)
{
    if (spec->first == spec->last)
        return snprintf(text, len, "0x%" PRIx64, spec->first);
    return snprintf(text, len, "0x%" PRIx64 "-0x%" PRIx64, spec->first,
                    spec->last);
}

static bool good_range(const struct vmring_spec *spec, uint64_t max)
{
    return spec->first <= spec->last && spec->last <= max;
}

static const char *parse_msr(struct word argument, struct vmring_spec *spec)
{
    const char *cause =
        parse_range(argument, UINT32_MAX, "number above 0xffffffff in", spec);

    if (!cause && spec->last - spec->first >= MAX_MSRS)
        cause = "more than 8192 registers in";
    return cause;
}

static int format_msr(const struct vmring_spec *spec, char *text, size_t len)
{
    if (spec->access || !good_range(spec, UINT32_MAX) ||
        spec->last - spec->first >= MAX_MSRS)
        return -EINVAL;
    return format_range(spec, text, len);
}

static const struct {
    char letter;
    uint8_t bit;
} accesses[] = {
    {'r', VMRING_MEM_R},
    {'w', VMRING_MEM_W},
    {'x', VMRING_MEM_X},
};

static const char *parse_access(struct word word, uint8_t *access)
{
    *access = 0;
    for (size_t i = 0; i < word.len; i++) {
        uint8_t bit = 0;

        for (unsigned int a = 0; a < NR(accesses); a++) {
            if (word.at[i] == accesses[a].letter)
                bit = accesses[a].bit;
        }
        if (!bit)
            return "access other than r, w, x in";
        if (*access & bit)
            return "access given twice in";
        *access |= bit;
    }
    return *access ? NULL : "no access in";
}

static const char *parse_mem(struct word argument, struct vmring_spec *spec)
{
    struct word access;
    bool range = word_cut(&argument, '@', &access);
    const char *cause = parse_access(access, &spec->access);

    if (cause)
        return cause;
    /* All frames of a guest take a producer too long to arm. */
    return range ? parse_range(argument, MAX_GFN, "frame above 0xffffffffff in",
                               spec)
                 : "no frames in";
}

static int format_mem(const struct vmring_spec *spec, char *text, size_t len)
{
    char access[NR(accesses) + 1], range[48];
    unsigned int n = 0;

    if (!spec->access || spec->access >= VMRING_MEM_X << 1)
        return -EINVAL;
    for (unsigned int a = 0; a < NR(accesses); a++) {
        if (spec->access & accesses[a].bit)
            access[n++] = accesses[a].letter;
    }
    access[n] = '\0';
    if (!good_range(spec, MAX_GFN))
        return -EINVAL;
    format_range(spec, range, sizeof(range));
    return snprintf(text, len, "%s@%s", access, range);
}

#define CTRLREG(NAME, INDEX, WHAT)                                             \
    {                                                                          \
        .public = {XEN_VM_RING_REASON_WRITE_CTRLREG,                           \
                   SYNC | ASYNC,                                               \
                   NAME,                                                       \
                   NAME "[:sync|:async][:onchange]",                           \
                   "a write to " WHAT,                                         \
                   NAME ":onchange"},                                          \
        .flags = VMRING_SPEC_ONCHANGE, .index = (INDEX),                       \
    }

static const struct kind kinds[] = {
    CTRLREG("cr0", CR0, "CR0"),
    CTRLREG("cr3", CR3, "CR3: a switch of the address space"),
    CTRLREG("cr4", CR4, "CR4"),
    CTRLREG("xcr0", XCR0, "XCR0, by XSETBV"),
    {
        .public = {XEN_VM_RING_REASON_MOV_TO_MSR, SYNC, "msr",
                   "msr:NUMBER[-NUMBER][:onchange]",
                   "a write to a model-specific register", "msr:0xc0000082"},
        .flags = VMRING_SPEC_ONCHANGE,
        .parse = parse_msr,
        .format = format_msr,
    },
    {
        .public = {XEN_VM_RING_REASON_CPUID, SYNC, "cpuid", "cpuid",
                   "a CPUID instruction", "cpuid"},
    },
    {
        .public = {XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT, SYNC, "breakpoint",
                   "breakpoint", "an INT3 instruction", "breakpoint"},
        .alias = "int3",
    },
    {
        .public = {XEN_VM_RING_REASON_SINGLESTEP, SYNC, "singlestep",
                   "singlestep",
                   "each instruction of a vCPU that a verdict lets step",
                   "singlestep"},
    },
    {
        .public = {XEN_VM_RING_REASON_GUEST_REQUEST, SYNC | ASYNC,
                   "guest_request", "guest_request[:sync|:async][:user]",
                   "a call of the guest for attention; :user: by its "
                   "programs too",
                   "guest_request:async"},
        .flags = VMRING_SPEC_USER,
    },
    {
        .public = {XEN_VM_RING_REASON_DEBUG_EXCEPTION, SYNC | ASYNC, "debug",
                   "debug[:sync|:async]", "a debug exception, #DB", "debug"},
    },
    {
        .public = {XEN_VM_RING_REASON_DESCRIPTOR_ACCESS, SYNC, "descriptor",
                   "descriptor",
                   "an access to the GDTR, IDTR, LDTR or task register",
                   "descriptor"},
    },
    {
        .public = {XEN_VM_RING_REASON_MEM_ACCESS, SYNC, "mem",
                   "mem:[r][w][x]@GFN[-GFN][:faults]",
                   "an access to guest frames; :faults: of page walks too",
                   "mem:w@0x1000-0x2000"},
        .flags = VMRING_SPEC_FAULTS | VMRING_SPEC_WALKS,
        .parse = parse_mem,
        .format = format_mem,
    },
    {
        .public = {XEN_VM_RING_REASON_PRIVILEGED_CALL, SYNC, "privileged_call",
                   "privileged_call", "an SMC instruction (arm)",
                   "privileged_call"},
    },
    {
        .public = {XEN_VM_RING_REASON_INTERRUPT, SYNC, "interrupt", "interrupt",
                   "the next interrupt, where a verdict asks for it",
                   "interrupt"},
    },
    {
        .public = {XEN_VM_RING_REASON_EMUL_UNIMPLEMENTED, SYNC,
                   "emul_unimplemented", "emul_unimplemented",
                   "an instruction that Xen cannot emulate",
                   "emul_unimplemented"},
    },
    {
        .public = {XEN_VM_RING_REASON_VMEXIT, SYNC | ASYNC, "vmexit",
                   "vmexit[:sync|:async]", "every exit from the guest to Xen",
                   "vmexit:async"},
    },
    {
        .public = {XEN_VM_RING_REASON_IO_INSTRUCTION, SYNC, "io", "io",
                   "an I/O instruction: IN, OUT, INS, OUTS (Xen 4.18)", "io"},
    },
};

/* vmring_supported() has one bit for each. */
_Static_assert(NR(kinds) <= 64, "kinds must fit a mask");

static const char *const reasons[XEN_VM_RING_NR_REASONS] = {
    [XEN_VM_RING_REASON_UNKNOWN] = "unknown",
    [XEN_VM_RING_REASON_MEM_ACCESS] = "mem_access",
    [XEN_VM_RING_REASON_MEM_SHARING] = "mem_sharing",
    [XEN_VM_RING_REASON_MEM_PAGING] = "mem_paging",
    [XEN_VM_RING_REASON_WRITE_CTRLREG] = "write_ctrlreg",
    [XEN_VM_RING_REASON_MOV_TO_MSR] = "mov_to_msr",
    [XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT] = "software_breakpoint",
    [XEN_VM_RING_REASON_SINGLESTEP] = "singlestep",
    [XEN_VM_RING_REASON_GUEST_REQUEST] = "guest_request",
    [XEN_VM_RING_REASON_DEBUG_EXCEPTION] = "debug_exception",
    [XEN_VM_RING_REASON_CPUID] = "cpuid",
    [XEN_VM_RING_REASON_PRIVILEGED_CALL] = "privileged_call",
    [XEN_VM_RING_REASON_INTERRUPT] = "interrupt",
    [XEN_VM_RING_REASON_DESCRIPTOR_ACCESS] = "descriptor_access",
    [XEN_VM_RING_REASON_EMUL_UNIMPLEMENTED] = "emul_unimplemented",
    [XEN_VM_RING_REASON_VMEXIT] = "vmexit",
    [XEN_VM_RING_REASON_IO_INSTRUCTION] = "io_instruction",
};

const struct kind *kind_named(struct word name)
{
    for (unsigned int i = 0; i < NR(kinds); i++) {
        if (word_is(name, kinds[i].public.name))
            return &kinds[i];
        if (kinds[i].alias && word_is(name, kinds[i].alias))
            return &kinds[i];
    }
    return NULL;
}

void kind_suggest(struct suggest *near)
{
    for (unsigned int i = 0; i < NR(kinds); i++) {
        suggest_try(near, kinds[i].public.name);
        if (kinds[i].alias)
            suggest_try(near, kinds[i].alias);
    }
}

const struct kind *kind_of(const struct vmring_spec *spec)
{
    for (unsigned int i = 0; i < NR(kinds); i++) {
        if (kinds[i].public.reason == spec->reason &&
            (kinds[i].parse || kinds[i].index == spec->first))
            return &kinds[i];
    }
    return NULL;
}

int vmring_get_kind(unsigned int i, struct vmring_kind *kind)
{
    if (i >= NR(kinds))
        return -ENOENT;
    *kind = kinds[i].public;
    return 0;
}

const char *vmring_reason_name(unsigned int reason)
{
    return reason < NR(reasons) ? reasons[reason] : NULL;
}

bool vmring_reason_has_mode(unsigned int reason, unsigned int mode)
{
    /* Whatever can be armed can be synchronous, hence the default. */
    if (mode == VMRING_MODE_DEFAULT)
        mode = VMRING_MODE_SYNC;
    if (mode != VMRING_MODE_SYNC && mode != VMRING_MODE_ASYNC)
        return false;
    for (unsigned int i = 0; i < NR(kinds); i++) {
        if (kinds[i].public.reason == reason)
            return kinds[i].public.modes >> mode & 1;
    }
    return false;
}
