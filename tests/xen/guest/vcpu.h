/* SPDX-License-Identifier: MIT */
/* What each vCPU keeps: it alone writes it, vCPU 0 reads it to report. */
#ifndef GUEST_VCPU_H
#define GUEST_VCPU_H

#include <stdint.h>

#include "layout.h"

enum kind {
    KIND_CPUID,
    KIND_CR0,
    KIND_CR3,
    KIND_CR4,
    KIND_MSR,
    KIND_GREQ,
    KIND_INT3,
    KIND_DB,
    KIND_STEP,
    KIND_DESC,
    KIND_PROBE,
    KIND_INJECT,
    KIND_IO,
    KIND_MEMR,
    KIND_MEMW,
    KIND_MEMX,
    NR_KINDS
};

#define NR_LEAVES 9

struct cpuid_result {
    uint32_t eax, ebx, ecx, edx;
};

struct vcpu {
    unsigned int id;
    uint32_t finished;        /* released to vCPU 0 */
    uint32_t done[NR_KINDS];  /* raised, those of the boot included */
    uint32_t check[NR_KINDS]; /* what check_name() of the kind counts */
    uint32_t stray;           /* exceptions nobody here asked for */
    uint32_t turn;            /* varies leaves and values */
    uint32_t seen;            /* bit per leaf: first_result is valid */
    struct cpuid_result first_result[NR_LEAVES];
} __attribute__((aligned(128)));

extern struct vcpu vcpus[MAX_VCPUS];
extern uint8_t vcpu_stacks[MAX_VCPUS][STACK_SIZE];

#endif
