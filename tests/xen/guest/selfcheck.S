/* SPDX-License-Identifier: MIT */
/* Into a check and out of it, with every register that it says. */
#include "layout.h"

    .text

/*
 * void self_run(const struct self_registers *): IRET, not POPF, begins it, for
 * RF.  The check ends with a jump to self_end, where the handler takes TF back.
 */
    .globl self_run, self_end
self_run:
    pushal
    movl 36(%esp), %eax
    movl %esp, self_stack
    pushl 32(%eax)
    pushl $CODE_SELECTOR
    pushl 28(%eax)
    movl 4(%eax), %ecx
    movl 8(%eax), %edx
    movl 12(%eax), %ebx
    movl 16(%eax), %ebp
    movl 20(%eax), %esi
    movl 24(%eax), %edi
    movl (%eax), %eax
    iret
self_end:
    cli
    movl %eax, self_after
    movl %ecx, self_after + 4
    movl %edx, self_after + 8
    movl %ebx, self_after + 12
    movl %ebp, self_after + 16
    movl %esi, self_after + 20
    movl %edi, self_after + 24
    movl self_stack, %eax
    subl %esp, %eax
    movl %eax, self_after + 28
    pushfl
    popl self_after + 32
    movl self_stack, %esp
    popal
    ret

    .bss
    .balign 4
self_stack:
    .skip 4

    .section .note.GNU-stack, "", @progbits
