/* SPDX-License-Identifier: MIT */
#ifndef GUEST_TRAPS_H
#define GUEST_TRAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "vcpu.h"

/* LGDT and LIDT: what a vCPU needs to have, seen as descriptor accesses. */
#define NR_DESC_AT_BOOT 2

struct __attribute__((packed)) table_register {
    uint16_t limit;
    uint32_t base;
};

/* As trap_common pushes it. */
struct trap_frame {
    uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
    uint32_t vector, error;
    uint32_t eip, cs, eflags;
};

void build_descriptors(void);
void install_descriptors(struct vcpu *v);
const struct table_register *installed_idt(void);

void raise_int3(void);
void raise_icebp(void);
void raise_step(void);
void raise_slide(void);

/* False: it faults. */
bool try_rdmsr(uint32_t msr, uint64_t *value);
bool try_wrmsr(uint32_t msr, uint32_t low);

#endif
