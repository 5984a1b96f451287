/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <string.h>

#define KERNEL_TEXT  UINT64_C(0xffffffff81000000)
#define DIRECT_MAP   UINT64_C(0xffff888000000000)
#define PER_CPU      UINT64_C(0xffff88807d600000)
#define STACKS       UINT64_C(0xffffc90000000000)
#define STACK_LEN    0x4000
#define KERNEL_GFN   0x1000 /* the text is loaded at 16 MiB */
#define PAGE_TABLES  UINT64_C(0x100000000)
#define GDT          UINT64_C(0xfffffe0000001000)
#define RFLAGS_IF    0x246
#define SEGMENT_CODE 0xa9bfffffu /* as xen_vm_ring_regs_x86 packs it */
#define SEGMENT_DATA 0xc93fffffu
#define KERNEL_CS    0x10
#define KERNEL_DS    0x18

/* Where in the kernel each kind of work is done, and how it got there. */
static const uint64_t sites[NR_SIM_WORK] = {
    [SIM_CPUID] = KERNEL_TEXT + 0x0006d1a2, /* native_cpuid */
    [SIM_CR0] = KERNEL_TEXT + 0x0002c3f4,   /* fpu save */
    [SIM_CR3] = KERNEL_TEXT + 0x00078e51,   /* switch_mm_irqs_off */
    [SIM_CR4] = KERNEL_TEXT + 0x0003a9c7,   /* cr4_toggle_bits */
    [SIM_MSR] = KERNEL_TEXT + 0x0006e044,   /* native_write_msr */
    [SIM_GREQ] = KERNEL_TEXT + 0x00a01443,  /* the hypercall page */
    [SIM_INT3] = KERNEL_TEXT + 0x002b7710,  /* a probe */
    [SIM_DB] = KERNEL_TEXT + 0x002b7714,
};

uint64_t sim_scatter(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t sim_machine_cr3(unsigned int process)
{
    return PAGE_TABLES + (sim_scatter(process + 1) & 0x3ffff) * 0x1000;
}

uint64_t sim_machine_gfn(uint64_t rip)
{
    return KERNEL_GFN + (rip - KERNEL_TEXT) / 0x1000;
}

xen_vm_ring_u64 *sim_machine_msr(struct sim_vcpu *v, enum sim_msr msr)
{
    switch (msr) {
    case SIM_STAR:
        return &v->regs.msr_star;
    case SIM_LSTAR:
        return &v->regs.msr_lstar;
    case SIM_SYSENTER_CS:
        return &v->regs.sysenter_cs;
    case SIM_SYSENTER_ESP:
        return &v->regs.sysenter_esp;
    case SIM_SYSENTER_EIP:
        return &v->regs.sysenter_eip;
    case SIM_FS_BASE:
        return &v->regs.fs_base;
    case SIM_KERNEL_GS_BASE:
        return &v->regs.shadow_gs;
    default:
        return &v->msrs[msr];
    }
}

static void boot_segments(struct xen_vm_ring_regs_x86 *regs)
{
    regs->cs = SEGMENT_CODE;
    regs->ss = regs->ds = regs->es = SEGMENT_DATA;
    regs->cs_sel = KERNEL_CS;
    regs->ss_sel = KERNEL_DS;
    regs->gdtr_base = GDT;
    regs->gdtr_limit = 0x7f;
}

void sim_machine_boot(struct sim_vcpu *v)
{
    struct xen_vm_ring_regs_x86 *regs = &v->regs;

    memset(regs, 0, sizeof(*regs));
    boot_segments(regs);
    regs->rflags = RFLAGS_IF;
    regs->dr6 = 0xffff0ff0;
    regs->dr7 = 0x400;
    regs->cr0 = 0x80050033;
    regs->cr3 = sim_machine_cr3(v->id % SIM_NR_PROCESSES);
    regs->cr4 = 0x3506e0;
    regs->msr_efer = 0xd01;
    regs->gs_base = PER_CPU + (uint64_t)v->id * 0x40000;
    regs->gdtr_base += (uint64_t)v->id * 0x3b000;
}

void sim_machine_goto(struct sim_vcpu *v, enum sim_work work)
{
    struct xen_vm_ring_regs_x86 *regs = &v->regs;
    xen_vm_ring_u64 *const pointers[] = {
        &regs->rbx, &regs->rbp, &regs->rsi, &regs->r8,  &regs->r9,
        &regs->r12, &regs->r13, &regs->r14, &regs->r15,
    };
    uint64_t salt = sim_scatter((uint64_t)v->id << 48 | v->turn);

    for (unsigned int i = 0; i < sizeof(pointers) / sizeof(*pointers); i++) {
        salt = salt * 6364136223846793005u + 1442695040888963407u;
        *pointers[i] = DIRECT_MAP + (salt >> 35 << 3);
    }
    regs->rip = sites[work];
    regs->rsp = STACKS + ((uint64_t)v->id * 64 + salt % 64 + 1) * STACK_LEN -
                0x100 - (salt >> 20 & 0xf8);
    regs->cr2 = 0x7f0000000000 + (salt >> 28 << 3);
    regs->rax = regs->rcx = regs->rdx = 0;
    regs->rdi = 0;
    regs->r10 = salt >> 56;
    regs->r11 = RFLAGS_IF;
    regs->rflags = RFLAGS_IF;
    if (work == SIM_GREQ) {
        regs->rax = 34; /* __HYPERVISOR_hvm_op */
        regs->rdi = 24; /* HVMOP_guest_request_vm_event */
    }
}

void sim_machine_cpuid(const struct sim_vcpu *v, uint32_t leaf,
                       uint32_t subleaf, uint32_t results[4])
{
    uint64_t low = sim_scatter((uint64_t)leaf << 32 | subleaf);
    uint64_t high = sim_scatter(low);

    if (leaf == 0) {
        results[0] = 0x16; /* the last leaf, and "GenuineIntel" */
        memcpy(&results[1], "Genu", 4);
        memcpy(&results[2], "ntel", 4);
        memcpy(&results[3], "ineI", 4);
        return;
    }
    results[0] = (uint32_t)low;
    results[1] = (uint32_t)(low >> 32);
    results[2] = (uint32_t)high;
    results[3] = (uint32_t)(high >> 32);
    if (leaf == 1)
        results[1] = (results[1] & 0xffffff) | v->id << 24;
}
