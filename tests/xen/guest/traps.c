/* SPDX-License-Identifier: MIT */
/* Descriptor tables, and what becomes of each exception. */
#include "traps.h"

#include "machine.h"
#include "print.h"
#include "selfcheck.h"

enum { VECTOR_DB = 1, VECTOR_BP = 3, VECTOR_UD = 6, VECTOR_GP = 13 };

#define EFLAGS_TF 0x100

static const uint64_t gdt[] __attribute__((aligned(8))) = {
    [CODE_SELECTOR / 8] = 0x00cf9b000000ffffull, /* flat 4 GiB, 32-bit code */
    [DATA_SELECTOR / 8] = 0x00cf93000000ffffull, /* flat 4 GiB, data */
};
static uint64_t idt[NR_VECTORS] __attribute__((aligned(8)));

static const struct table_register gdtr = {sizeof(gdt) - 1, (uint32_t)gdt};
static const struct table_register idtr = {sizeof(idt) - 1, (uint32_t)idt};

extern const uint8_t trap_stubs[NR_VECTORS][TRAP_STUB_SIZE];
extern const uint8_t int3_insn[], int3_next[];
extern const uint8_t icebp_insn[], icebp_next[];
extern const uint8_t step_next[];
extern const uint8_t slide_start[], slide_end[];
extern const uint8_t rdmsr_insn[], wrmsr_insn[], msr_faulted[];

void load_descriptors(const void *gdt_register, const void *idt_register);
void handle_trap(struct trap_frame *frame);

void build_descriptors(void)
{
    for (unsigned int i = 0; i < NR_VECTORS; i++) {
        uint32_t stub = (uint32_t)trap_stubs[i];
        uint32_t high = (stub & 0xffff0000u) | 0x8e00; /* interrupt gate */
        uint32_t low = (CODE_SELECTOR << 16) | (stub & 0xffff);

        idt[i] = ((uint64_t)high << 32) | low;
    }
}

void install_descriptors(struct vcpu *v)
{
    load_descriptors(&gdtr, &idtr);
    v->done[KIND_DESC] += NR_DESC_AT_BOOT;
}

const struct table_register *installed_idt(void)
{
    return &idtr;
}

/* Each vCPU has exactly one stack, so the stack tells which one this is. */
static struct vcpu *vcpu_of(const struct trap_frame *frame)
{
    uint32_t offset = (uint32_t)frame - (uint32_t)vcpu_stacks;

    return &vcpus[offset / STACK_SIZE];
}

static _Noreturn void die_of(const struct vcpu *v,
                             const struct trap_frame *frame)
{
    struct line l;

    line_begin(&l, "error: vcpu ");
    line_number(&l, v->id);
    line_text(&l, " vector ");
    line_number(&l, frame->vector);
    line_text(&l, " code ");
    line_hex(&l, frame->error);
    line_text(&l, " at ");
    line_hex(&l, frame->eip);
    line_end(&l);
    power_off_crashed();
}

/*
 * A monitor that re-injects #BP or ICEBP's #DB with the wrong event type
 * makes it look like a fault: EIP at the instruction, not behind it.  That
 * is a stray one, and it is stepped over so as not to come again.
 */
static void handle_breakpoint(struct vcpu *v, struct trap_frame *frame)
{
    if (frame->eip == (uint32_t)int3_next) {
        v->check[KIND_INT3]++;
        return;
    }
    v->stray++;
    if (frame->eip == (uint32_t)int3_insn)
        frame->eip = (uint32_t)int3_next;
}

static void handle_debug(struct vcpu *v, struct trap_frame *frame)
{
    frame->eflags &= ~EFLAGS_TF;
    if (frame->eip == (uint32_t)step_next) {
        v->check[KIND_STEP]++;
        return;
    }
    if (frame->eip == (uint32_t)icebp_next) {
        v->check[KIND_DB]++;
        return;
    }
    v->stray++;
    if (frame->eip == (uint32_t)icebp_insn)
        frame->eip = (uint32_t)icebp_next;
}

/* What a monitor has injected where anything may come. */
static bool is_injected(const struct trap_frame *frame)
{
    return frame->eip >= (uint32_t)slide_start &&
           frame->eip <= (uint32_t)slide_end;
}

void handle_trap(struct trap_frame *frame)
{
    struct vcpu *v = vcpu_of(frame);

    if (is_injected(frame)) {
        v->check[KIND_INJECT]++;
        return;
    }
    if (self_trap(frame))
        return;
    switch (frame->vector) {
    case VECTOR_BP:
        handle_breakpoint(v, frame);
        return;
    case VECTOR_DB:
        handle_debug(v, frame);
        return;
    case VECTOR_UD:
        /* An emulated CPU may not know ICEBP: raised, but not trapped. */
        if (frame->eip == (uint32_t)icebp_insn) {
            frame->eip = (uint32_t)icebp_next;
            return;
        }
        break;
    case VECTOR_GP:
        if (frame->eip == (uint32_t)rdmsr_insn ||
            frame->eip == (uint32_t)wrmsr_insn) {
            frame->eip = (uint32_t)msr_faulted;
            return;
        }
        break;
    default:
        break;
    }
    die_of(v, frame);
}
