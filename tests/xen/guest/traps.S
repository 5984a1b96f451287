/* SPDX-License-Identifier: MIT */
/* Exception entry, and the instructions that raise exceptions on purpose. */
#include "layout.h"

    .text

/* Vectors that push an error code themselves: 8, 10-14, 17, 21, 29, 30. */
#define HAS_ERROR_CODE 0x60227d00

    .balign TRAP_STUB_SIZE
    .globl trap_stubs
trap_stubs:
    .set vector, 0
    .rept NR_VECTORS
    .balign TRAP_STUB_SIZE
    .if vector >= 32
    pushl $0
    .elseif !((HAS_ERROR_CODE >> vector) & 1)
    pushl $0
    .endif
    pushl $vector
    jmp trap_common
    .set vector, vector + 1
    .endr

trap_common:
    pushal
    cld
    pushl %esp
    call handle_trap
    addl $4, %esp
    popal
    addl $8, %esp
    iret

/* void load_descriptors(const void *gdtr, const void *idtr) */
    .globl load_descriptors
load_descriptors:
    movl 4(%esp), %eax
    lgdt (%eax)
    movl 8(%esp), %eax
    lidt (%eax)
    movl $DATA_SELECTOR, %eax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    ljmp $CODE_SELECTOR, $1f
1:  ret

/*
 * Each instruction stands alone between two labels, so that the handler can
 * tell the exception it was meant to raise from any other.
 */
    .globl raise_int3, int3_insn, int3_next
raise_int3:
int3_insn:
    int3
int3_next:
    ret

    .globl raise_icebp, icebp_insn, icebp_next
raise_icebp:
icebp_insn:
    .byte 0xf1
icebp_next:
    ret

/* With TF set by popf, the trap comes after the instruction that follows. */
    .globl raise_step, step_next
raise_step:
    pushfl
    orl $0x100, (%esp)
    popfl
    nop
step_next:
    ret

/*
 * Anything may come between the labels.  EBX is CPUID's, too; the length of an
 * instruction is 15 at most.
 */
    .globl raise_slide, slide_start, slide_end
raise_slide:
    pushl %ebx
    xorl %eax, %eax
slide_start:
    cpuid
    .skip 16, 0x90
slide_end:
    popl %ebx
    ret

/* bool try_rdmsr(uint32_t msr, uint64_t *value) */
    .globl try_rdmsr, rdmsr_insn
try_rdmsr:
    movl 4(%esp), %ecx
rdmsr_insn:
    rdmsr
    movl 8(%esp), %ecx
    movl %eax, (%ecx)
    movl %edx, 4(%ecx)
    movl $1, %eax
    ret

/* bool try_wrmsr(uint32_t msr, uint32_t low) */
    .globl try_wrmsr, wrmsr_insn
try_wrmsr:
    movl 4(%esp), %ecx
    movl 8(%esp), %eax
    xorl %edx, %edx
wrmsr_insn:
    wrmsr
    movl $1, %eax
    ret

    .globl msr_faulted
msr_faulted:
    xorl %eax, %eax
    ret

    .section .note.GNU-stack, "", @progbits
