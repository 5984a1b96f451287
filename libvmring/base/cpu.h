/* SPDX-License-Identifier: MIT */
/* cpu.h: whose CPU this is, where Xen does not tell what it can do. */
#ifndef VMRING_BASE_CPU_H
#define VMRING_BASE_CPU_H

#include <stdbool.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

static inline bool cpu_is_intel(void)
{
#if defined(__x86_64__) || defined(__i386__)
    unsigned int eax, ebx = 0, ecx = 0, edx = 0;

    return __get_cpuid(0, &eax, &ebx, &ecx, &edx) &&
           ebx == signature_INTEL_ebx && edx == signature_INTEL_edx &&
           ecx == signature_INTEL_ecx;
#else
    return false;
#endif
}

#endif /* VMRING_BASE_CPU_H */
