/* SPDX-License-Identifier: MIT */
/*
 * A monitor must change nothing of what a register is to the guest: its value,
 * whether it can be read, and whether it can be written.  Writing is tried only
 * where reading faults: zero does nothing to what is only written.
 */
#include "probe.h"

#include "machine.h"
#include "options.h"
#include "print.h"
#include "traps.h"

#define WINDOW 0x2000u

#define MSR_APIC_BASE  0x1b
#define APIC_BASE_EXTD 0x400 /* x2APIC mode: its registers are MSRs then */

enum { UNREADABLE = 1, UNWRITABLE = 2 };

/* Low, and high: from 0xc0000000 on. */
static uint64_t first_value[2][WINDOW];
static uint8_t first_faults[2][WINDOW];
static bool learned;

/*
 * Those that Xen knows of, or a CPU has; of all others a debug Xen says in its
 * log that the guest reads them.
 */
static const struct {
    uint32_t first, last;
} known[] = {
    {0x1b, 0x1b},
    {0x3a, 0x3b},
    {0x48, 0x49},
    {0x79, 0x79},
    {0x8b, 0x8b},
    {0xce, 0xcf},
    {0xfe, 0xfe},
    {0x10a, 0x10b},
    {0x140, 0x140},
    {0x174, 0x176},
    {0x179, 0x17b},
    {0x198, 0x199},
    {0x1d9, 0x1d9},
    {0x200, 0x20f},
    {0x250, 0x250},
    {0x258, 0x259},
    {0x268, 0x26f},
    {0x277, 0x277},
    {0x2ff, 0x2ff},
    {0x400, 0x407},
    {0x802, 0x803},
    {0x808, 0x808},
    {0x80a, 0x80b},
    {0x80d, 0x80d},
    {0x80f, 0x80f},
    {0x82f, 0x837},
    {0x83e, 0x83f},
    {0xc0000080, 0xc0000084},
    {0xc0000100, 0xc0000103},
};

/* They go by themselves, or by what is tried here. */
static bool changes(uint32_t msr)
{
    return msr == options.msr ||             /* `msr` writes it */
           msr == 0x10 ||                    /* TSC */
           msr == 0xe7 || msr == 0xe8 ||     /* MPERF, APERF */
           (msr >= 0x810 && msr <= 0x828) || /* x2APIC ISR to ESR */
           msr == 0x830 || /* x2APIC ICR: SELF_IPI goes by it */
           msr == 0x839;   /* x2APIC timer count */
}

static void say_write_only(uint32_t msr)
{
    struct line l;

    line_begin(&l, "write-only ");
    line_hex(&l, msr);
    line_end(&l);
}

static bool probe_one(uint32_t msr)
{
    unsigned int high = msr >> 31, at = msr % WINDOW;
    uint64_t value = 0;
    uint8_t faults = 0;

    if (changes(msr))
        return true;
    if (!try_rdmsr(msr, &value))
        faults = try_wrmsr(msr, 0) ? UNREADABLE : UNREADABLE | UNWRITABLE;
    if (learned)
        return first_faults[high][at] == faults &&
               first_value[high][at] == value;
    first_faults[high][at] = faults;
    first_value[high][at] = value;
    if (faults == UNREADABLE)
        say_write_only(msr);
    return true;
}

static void say_changed(uint32_t msr)
{
    struct line l;

    line_begin(&l, "changed msr ");
    line_hex(&l, msr);
    line_end(&l);
}

static bool probe_range(uint32_t first, uint32_t last)
{
    bool same = true;

    for (uint32_t msr = first; msr <= last; msr++) {
        if (probe_one(msr))
            continue;
        same = false;
        say_changed(msr);
    }
    return same;
}

bool probe(struct vcpu *v)
{
    bool same = true;

    /* One table, of one vCPU's. */
    if (v->id)
        return true;
    if (!learned)
        write_msr(MSR_APIC_BASE, read_msr(MSR_APIC_BASE) | APIC_BASE_EXTD);
    if (options.probe_all) {
        same = probe_range(0, WINDOW - 1);
        same &= probe_range(0xc0000000, 0xc0000000 + WINDOW - 1);
    } else {
        for (unsigned int i = 0; i < sizeof(known) / sizeof(*known); i++)
            same &= probe_range(known[i].first, known[i].last);
    }
    learned = true;
    return same;
}
