/* SPDX-License-Identifier: MIT */
/*
 * Each check executes one instruction in one condition: with TF or RF set,
 * behind STI with an interrupt pending, behind MOV SS.  It tells which traps
 * came where, with which flags and DR6, and what the registers were afterwards.
 * Nothing here knows what is right: that is what the same guest says when
 * nobody watches it.
 */
#include "selfcheck.h"

#include <stddef.h>
#include <xen/xen.h>

#include <xen/hvm/hvm_op.h>

#include "hypercall.h"
#include "machine.h"
#include "print.h"

#define EFLAGS_RESERVED 0x00002
#define EFLAGS_TF       0x00100
#define EFLAGS_IF       0x00200
#define EFLAGS_RF       0x10000

#define CR0_TS           0x8
#define CR4_TSD          0x4
#define CR4_NO_SUCH      0x80000000u /* reserved */
#define MSR_LSTAR        0xc0000082
#define MSR_MTRR_DEFAULT 0x2ff
#define NO_SUCH_TYPE     2 /* of memory */

#define DR6_CLEAR 0xffff0ff0u
#define DR6_TELLS 0x0000e00fu

enum { VECTOR_DB = 1, VECTOR_BP = 3, VECTOR_UD = 6, VECTOR_GP = 13 };

/* The local APIC, in its reset mode. */
#define APIC_EOI         0xfee000b0u
#define APIC_SPURIOUS    0xfee000f0u
#define APIC_ICR         0xfee00300u
#define APIC_ENABLE      0x100
#define APIC_TO_SELF     0x40000
#define VECTOR_INTERRUPT 0x3f

/* As selfcheck.S reads it, and writes self_after. */
struct self_registers {
    uint32_t eax, ecx, edx, ebx, ebp, esi, edi;
    uint32_t eip, eflags;
};

struct self_after {
    uint32_t reg[8]; /* the last is esp, by how much it is off */
    uint32_t eflags;
};

struct self_after self_after;
extern const uint8_t self_end[];
void self_run(const struct self_registers *registers);

static uint8_t page_root[4096] __attribute__((aligned(4096)));
static uint8_t stored[8];

static const struct instruction {
    const char *name;
    uint8_t len, prefixes; /* of 0x66, before it */
    uint8_t bytes[8];
} instructions[] = {
    {"cpuid", 2, 0, {0x0f, 0xa2}},
    {"cpuid15", 2, 13, {0x0f, 0xa2}},
    {"cr0", 3, 0, {0x0f, 0x22, 0xc2}},
    {"cr3", 3, 0, {0x0f, 0x22, 0xda}},
    {"cr4", 3, 0, {0x0f, 0x22, 0xe2}},
    {"cr4gp", 3, 0, {0x0f, 0x22, 0xe2}},
    {"wrmsr", 2, 0, {0x0f, 0x30}},
    {"wrmsrgp", 2, 0, {0x0f, 0x30}},
    {"greq", 3, 0, {0x0f, 0x01, 0xd9}}, /* VMMCALL, or what Xen has */
    {"sidt", 7, 0, {0x0f, 0x01, 0x0d}},
    {"int3", 1, 0, {0xcc}},
    {"icebp", 1, 0, {0xf1}},
    {"nop", 1, 0, {0x90}},
    {"in", 1, 0, {0xec}},
    {"ins", 1, 0, {0x6c}},
    {"outs", 1, 0, {0x6e}},
};

enum {
    CPUID,
    CPUID15,
    CR0,
    CR3,
    CR4,
    CR4GP,
    WRMSR,
    WRMSRGP,
    GREQ,
    SIDT,
    IN = 13, /* and all that follow: on a port that nobody has */
};

#define PORT 0x90

#define STI 1
#define SS  2

static const struct condition {
    const char *name;
    uint32_t eflags;
    unsigned int behind;
} conditions[] = {
    {"plain", 0, 0},      {"tf", EFLAGS_TF, 0},
    {"rf", EFLAGS_RF, 0}, {"rf+tf", EFLAGS_RF | EFLAGS_TF, 0},
    {"sti", 0, STI},      {"sti+tf", EFLAGS_TF, STI},
    {"ss", 0, SS},        {"ss+tf", EFLAGS_TF, SS},
};

/* ------------------------------------------------------------- its code -- */

static uint8_t code[64] __attribute__((aligned(64)));
static uint32_t behind_insn;

static uint8_t *emit(uint8_t *at, const uint8_t *bytes, unsigned int len)
{
    for (unsigned int i = 0; i < len; i++)
        *at++ = bytes[i];
    return at;
}

static void build(unsigned int which, unsigned int behind)
{
    static const uint8_t sti[] = {0xfb}, mov_ss_bp[] = {0x8e, 0xd5};
    static const uint8_t after[] = {0x90, 0xfa, 0x90, 0xe9}; /* NOP CLI NOP */
    const struct instruction *insn = &instructions[which];
    uint32_t to = (uint32_t)stored, by;
    uint8_t *at = code;

    if (behind & STI)
        at = emit(at, sti, sizeof(sti));
    if (behind & SS)
        at = emit(at, mov_ss_bp, sizeof(mov_ss_bp));
    for (unsigned int i = 0; i < insn->prefixes; i++)
        *at++ = 0x66;
    emit(at, insn->bytes, insn->len);
    if (which == GREQ) /* behind the MOV of the hypercall's number */
        emit(at, hypercall_code() + 5, insn->len);
    if (which == SIDT)
        emit(at + 3, (const uint8_t *)&to, 4);
    at += insn->len;
    behind_insn = (uint32_t)at;
    at = emit(at, after, sizeof(after));
    by = (uint32_t)self_end - ((uint32_t)at + 4);
    emit(at, (const uint8_t *)&by, 4);
}

static void set_up(unsigned int which, const struct condition *condition,
                   struct self_registers *r)
{
    *r = (struct self_registers){
        .eax = 1,
        .edx = 0xd0d0d0d0,
        .ebx = 0xb0b0b0b0,
        .ebp = DATA_SELECTOR,
        .esi = 0x51515151,
        .edi = 0xd1d1d1d1,
        .eip = (uint32_t)code,
        .eflags = EFLAGS_RESERVED | condition->eflags,
    };
    if (which == CR0)
        r->edx = read_cr0() ^ CR0_TS;
    if (which == CR3)
        r->edx = (uint32_t)page_root;
    if (which == CR4)
        r->edx = read_cr4() ^ CR4_TSD;
    if (which == CR4GP)
        r->edx = read_cr4() ^ CR4_NO_SUCH;
    if (which == WRMSR || which == WRMSRGP) {
        r->ecx = which == WRMSR ? MSR_LSTAR : MSR_MTRR_DEFAULT;
        r->edx = 0;
        r->eax = which == WRMSR ? 0x1230 : NO_SUCH_TYPE;
    }
    if (which == GREQ) {
        r->eax = __HYPERVISOR_hvm_op;
        r->ebx = HVMOP_guest_request_vm_event;
    }
    if (which >= IN) {
        r->edx = PORT;
        r->esi = r->edi = (uint32_t)stored;
    }
}

/* -------------------------------------------------------- what it tells -- */

#define MAX_TRAPS 12
#define MAX_TRIES 8

struct trap {
    uint32_t vector, offset, eflags, dr6;
};

/* All words, and compared as such. */
struct result {
    uint32_t nr_traps;
    struct trap traps[MAX_TRAPS];
    uint32_t eflags, sum; /* of all registers afterwards */
};

static bool is_on;
static struct result result;

bool self_trap(struct trap_frame *frame)
{
    struct trap *trap = &result.traps[result.nr_traps % MAX_TRAPS];

    if (!is_on)
        return false;
    result.nr_traps++;
    *trap = (struct trap){
        .vector = frame->vector,
        .offset = frame->eip - (uint32_t)code,
        .eflags = frame->eflags & (EFLAGS_TF | EFLAGS_IF | EFLAGS_RF),
    };
    switch (frame->vector) {
    case VECTOR_DB:
        trap->dr6 = read_dr6() & DR6_TELLS;
        write_dr6(DR6_CLEAR);
        break;
    case VECTOR_BP:
        break;
    case VECTOR_UD:
    case VECTOR_GP: /* a fault: over it */
        frame->eip = behind_insn;
        break;
    case VECTOR_INTERRUPT:
        write_word(APIC_EOI, 0);
        break;
    default:
        return false;
    }
    if (frame->eip == (uint32_t)self_end || result.nr_traps >= MAX_TRAPS)
        frame->eflags &= ~EFLAGS_TF;
    return true;
}

static uint32_t sum_of(uint32_t sum, uint32_t value)
{
    return (sum ^ value) * 16777619u;
}

static uint32_t sum_of_all(void)
{
    uint64_t msr = read_msr(MSR_LSTAR);
    uint32_t sum = 2166136261u;

    for (unsigned int i = 0; i < 8; i++)
        sum = sum_of(sum, self_after.reg[i]);
    sum = sum_of(sum, read_cr0());
    sum = sum_of(sum, read_cr3());
    sum = sum_of(sum, read_cr4());
    sum = sum_of(sum, (uint32_t)msr);
    sum = sum_of(sum, (uint32_t)(msr >> 32));
    for (unsigned int i = 0; i < 6; i++)
        sum = sum_of(sum, stored[i]);
    return sum;
}

static void try(unsigned int which, const struct condition *condition)
{
    uint32_t cr0 = read_cr0(), cr3 = read_cr3(), cr4 = read_cr4();
    uint64_t msr = read_msr(MSR_LSTAR);
    struct self_registers registers;

    for (unsigned int i = 0; i < sizeof(stored); i++)
        stored[i] = 0;
    build(which, condition->behind);
    set_up(which, condition, &registers);
    result = (struct result){0};
    write_dr6(DR6_CLEAR);
    if (condition->behind & STI)
        write_word(APIC_ICR, APIC_TO_SELF | VECTOR_INTERRUPT);
    is_on = true;
    self_run(&registers);
    is_on = false;
    result.eflags = self_after.eflags;
    result.sum = sum_of_all();
    write_cr0(cr0);
    write_cr3(cr3);
    write_cr4(cr4);
    write_msr(MSR_LSTAR, msr);
}

/* -------------------------------------------------------- what it tells -- */

static void hex(struct line *l, uint32_t value)
{
    char text[9];
    unsigned int n = 8;

    text[8] = '\0';
    do
        text[--n] = "0123456789abcdef"[value & 15];
    while ((value >>= 4) != 0);
    line_text(l, text + n);
}

static void make_room(struct line *l)
{
    if (l->len + 22 <= LINE_LEN)
        return;
    line_end(l);
    l->len = l->prefix_len;
}

/* Each trap as VECTOR@OFFSET.FLAGS.DR6; the end has no offset. */
static void tell(unsigned int which, const struct condition *condition)
{
    uint32_t end = (uint32_t)self_end - (uint32_t)code;
    struct line l;

    line_begin(&l, "self ");
    line_text(&l, instructions[which].name);
    line_text(&l, " ");
    line_text(&l, condition->name);
    line_prefix(&l);
    for (unsigned int i = 0; i < result.nr_traps && i < MAX_TRAPS; i++) {
        const struct trap *trap = &result.traps[i];

        make_room(&l);
        line_text(&l, " ");
        hex(&l, trap->vector);
        line_text(&l, "@");
        if (trap->offset == end)
            line_text(&l, "end");
        else
            hex(&l, trap->offset);
        line_text(&l, ".");
        hex(&l, trap->eflags);
        line_text(&l, ".");
        hex(&l, trap->dr6);
    }
    make_room(&l);
    line_text(&l, " f=");
    hex(&l, result.eflags);
    line_text(&l, " r=");
    hex(&l, result.sum);
    line_end(&l);
}

static bool same(const struct result *a, const struct result *b)
{
    const uint32_t *x = (const uint32_t *)a, *y = (const uint32_t *)b;

    for (unsigned int i = 0; i < sizeof(*a) / sizeof(*x); i++) {
        if (x[i] != y[i])
            return false;
    }
    return true;
}

/*
 * What came of it twice running.  QEMU forgets the shadow of STI when a timer
 * of the machine strikes within it, one instruction, and the interrupt comes
 * too early; whatever a monitor does wrong it does again.
 */
static void check(unsigned int which, const struct condition *condition)
{
    struct result before;

    try(which, condition);
    for (unsigned int i = 1; i < MAX_TRIES; i++) {
        before = result;
        try(which, condition);
        if (same(&before, &result))
            break;
    }
    tell(which, condition);
}

void self_check(void)
{
    const unsigned int nr = sizeof(instructions) / sizeof(*instructions);

    write_word(APIC_SPURIOUS, APIC_ENABLE | 0xff);
    for (unsigned int i = 0; i < nr; i++) {
        for (unsigned int c = 0; c < sizeof(conditions) / sizeof(*conditions);
             c++)
            check(i, &conditions[c]);
    }
}
