/* SPDX-License-Identifier: MIT */
/*
 * Where Xen enters: vCPU 0 as a PVH guest (xen/arch-x86/hvm/start_info.h:
 * 32-bit protected mode, flat segments, paging off, start_info in EBX), the
 * others where smp.c's VCPUOP_initialise points them.
 *
 * Nothing in here may raise an event that a monitor could have armed while
 * the guest was still paused: no CPUID and no control-register write.
 */
#include "layout.h"

#define XEN_ELFNOTE_PHYS32_ENTRY 18 /* xen/elfnote.h, which is C only */

    .section .note.Xen, "a", @note
    .balign 4
    .long 4
    .long 4
    .long XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long guest_entry

    .text
    .globl guest_entry
guest_entry:
    cld
    movl $(vcpu_stacks + STACK_SIZE), %esp
    xorl %ebp, %ebp
    pushl %ebx
    call guest_main
1:  cli
    hlt
    jmp 1b

/* ESP is set by VCPUOP_initialise, and EBX to the vCPU's number. */
    .globl secondary_entry
secondary_entry:
    cld
    xorl %ebp, %ebp
    pushl %ebx
    call secondary_main
2:  cli
    hlt
    jmp 2b

    .bss
    .balign STACK_SIZE
    .globl vcpu_stacks
vcpu_stacks:
    .skip STACK_SIZE * MAX_VCPUS

/* Xen writes its hypercall stubs here, 32 bytes each (hypercall.c). */
    .balign 4096
    .globl hypercall_page
hypercall_page:
    .skip 4096

    .section .note.GNU-stack, "", @progbits
