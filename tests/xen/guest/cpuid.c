/* SPDX-License-Identifier: MIT */
/*
 * CPUID with answers that are known.  Xen puts the answer into the registers
 * before it asks the monitor; a verdict that then fails to step over the
 * instruction makes it run again with the answer's EAX as its leaf, and one
 * that sets stale registers changes other registers than the four.  Both
 * must show here.
 */
#include "cpuid.h"

#include <stddef.h>
#include <xen/xen.h>

#include <xen/arch-x86/cpuid.h>
#include <xen/version.h>

#include "hypercall.h"

#define APIC_ID 0xff000000u
#define OSXSAVE (1u << 27)
#define OSPKE   (1u << 4)

#define CANARY_SI 0x5ca1ab1eu
#define CANARY_DI 0xca11ab1eu

/*
 * Of all but Xen's own leaves the answer is only known to stay the same: on
 * this vCPU, and on every other one but for what is ignored.  What follows a
 * control register, or a number of the vCPU or its domain, is ignored.
 */
static const struct {
    uint32_t leaf, subleaf;
    uint32_t ignore_ebx, ignore_ecx;
} leaves[NR_LEAVES] = {
    {0x40000000, 0, 0, 0},    /* Xen's signature */
    {0, 0, 0, 0},             /* vendor */
    {1, 0, APIC_ID, OSXSAVE}, /* family, features */
    {0x40000001, 0, 0, 0},    /* Xen's version */
    {7, 0, 0, OSPKE},         /* more features */
    {0x40000002, 0, 0, 0},    /* hypercall page */
    {0x80000000, 0, 0, 0},    /* vendor again */
    /* The vCPU's number; the domain's, which is another once it is restored. */
    {0x40000004, 0, UINT32_MAX, UINT32_MAX},
    {0x80000008, 0, 0, 0}, /* address widths */
};

static uint32_t xen_version;

void learn_cpuid(void)
{
    xen_version = (uint32_t)version_op(XENVER_version, NULL);
}

/* False also if a register that CPUID does not touch has changed. */
static bool execute(uint32_t leaf, uint32_t subleaf, struct cpuid_result *r)
{
    uint32_t si = CANARY_SI, di = CANARY_DI;

    r->eax = leaf;
    r->ecx = subleaf;
    __asm__ volatile("cpuid"
                     : "+a"(r->eax), "=b"(r->ebx), "+c"(r->ecx), "=d"(r->edx),
                       "+S"(si), "+D"(di)
                     :
                     : "memory");
    return si == CANARY_SI && di == CANARY_DI;
}

/* By xen/arch-x86/cpuid.h; of other leaves only what any CPU has. */
static bool expected(const struct vcpu *v, uint32_t leaf,
                     const struct cpuid_result *r)
{
    switch (leaf) {
    case 0x40000000:
        return r->ebx == XEN_CPUID_SIGNATURE_EBX &&
               r->ecx == XEN_CPUID_SIGNATURE_ECX &&
               r->edx == XEN_CPUID_SIGNATURE_EDX && r->eax >= 0x40000002 &&
               r->eax < 0x40000100;
    case 0x40000001:
        return r->eax == xen_version && !r->ebx && !r->ecx && !r->edx;
    case 0x40000002:
        return r->eax == 1 && r->ebx == 0x40000000;
    case 0x40000004:
        return !(r->eax & XEN_HVM_CPUID_VCPU_ID_PRESENT) || r->ebx == v->id;
    case 0:
        return r->eax >= 1 && r->eax < 0x1000 && r->ebx && r->ecx && r->edx;
    case 0x80000000:
        return r->eax >= 0x80000000 && r->eax < 0x80001000;
    default:
        return true;
    }
}

static bool equal(unsigned int i, const struct cpuid_result *a,
                  const struct cpuid_result *b)
{
    return a->eax == b->eax && a->edx == b->edx &&
           !((a->ebx ^ b->ebx) & ~leaves[i].ignore_ebx) &&
           !((a->ecx ^ b->ecx) & ~leaves[i].ignore_ecx);
}

bool raise_cpuid(struct vcpu *v)
{
    unsigned int i = v->turn++ % NR_LEAVES;
    struct cpuid_result r;

    if (!execute(leaves[i].leaf, leaves[i].subleaf, &r))
        return false;
    if (!expected(v, leaves[i].leaf, &r))
        return false;
    if (!(v->seen & (1u << i))) {
        v->seen |= 1u << i;
        v->first_result[i] = r;
        return true;
    }
    return equal(i, &r, &v->first_result[i]);
}

unsigned int nr_cpuid_differences(const struct vcpu *v,
                                  const struct vcpu *other)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < NR_LEAVES; i++) {
        if (!(v->seen & other->seen & (1u << i)))
            continue;
        if (!equal(i, &v->first_result[i], &other->first_result[i]))
            n++;
    }
    return n;
}
