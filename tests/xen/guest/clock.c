/* SPDX-License-Identifier: MIT */
/*
 * Time by Xen's own record of it, struct vcpu_time_info of xen/xen.h: the
 * only way to the TSC's rate that costs no CPUID.
 */
#include "clock.h"

#include <xen/xen.h>

#include <xen/vcpu.h>

#include "hypercall.h"
#include "machine.h"

/* 64 bytes each and aligned so, so that none crosses a page. */
static struct vcpu_info infos[MAX_VCPUS] __attribute__((aligned(64)));

int register_clock(unsigned int vcpu)
{
    uint32_t address = (uint32_t)&infos[vcpu];
    struct vcpu_register_vcpu_info info = {
        .mfn = address >> 12,
        .offset = address & 0xfff,
    };

    return vcpu_op(VCPUOP_register_vcpu_info, vcpu, &info);
}

static uint64_t scale(uint64_t ticks, const volatile struct vcpu_time_info *t)
{
    uint32_t mul = t->tsc_to_system_mul;
    int shift = t->tsc_shift;

    if (shift < 0)
        ticks >>= -shift;
    else
        ticks <<= shift;
    return (((ticks & 0xffffffffu) * mul) >> 32) + (ticks >> 32) * mul;
}

uint64_t system_time(const struct vcpu *v)
{
    const volatile struct vcpu_time_info *t = &infos[v->id].time;
    uint32_t version;
    uint64_t time;

    /* Xen makes the version odd while it writes. */
    do {
        version = t->version & ~1u;
        __asm__ volatile("" : : : "memory");
        time = t->system_time + scale(read_tsc() - t->tsc_timestamp, t);
        __asm__ volatile("" : : : "memory");
    } while (t->version != version);
    return version ? time : 0;
}

void sleep_for(const struct vcpu *v, uint64_t ns)
{
    uint64_t now = system_time(v);

    if (now)
        sleep_until(now + ns);
    else
        yield();
}

void spin_for(const struct vcpu *v, uint64_t ns)
{
    uint64_t end = system_time(v) + ns;

    while (system_time(v) < end)
        continue;
}
