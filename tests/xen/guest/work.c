/* SPDX-License-Identifier: MIT */
#include "work.h"

#include <stddef.h>
#include <xen/xen.h>

#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>

#include "beat.h"
#include "clock.h"
#include "cpuid.h"
#include "hypercall.h"
#include "io.h"
#include "latency.h"
#include "machine.h"
#include "options.h"
#include "probe.h"
#include "touch.h"
#include "traps.h"

#define NS_PER_US      1000
#define LONGEST_NAP_NS 200000000ull /* so that the beat goes on */

/* Two pages for CR3 to alternate between; with paging off nobody walks them. */
static uint8_t page_roots[2][4096] __attribute__((aligned(4096)));

static bool raise_cr0(struct vcpu *v)
{
    uint32_t value = read_cr0() ^ (1u << options.cr0_bit);

    (void)v;
    write_cr0(value);
    return read_cr0() == value;
}

static bool raise_cr3(struct vcpu *v)
{
    uint32_t a = (uint32_t)page_roots[0], b = (uint32_t)page_roots[1];
    uint32_t value = read_cr3() == a ? b : a;

    (void)v;
    write_cr3(value);
    return read_cr3() == value;
}

static bool raise_cr4(struct vcpu *v)
{
    uint32_t value = read_cr4() ^ (1u << options.cr4_bit);

    (void)v;
    write_cr4(value);
    return read_cr4() == value;
}

/* Never the same value twice running, for monitors that want changes only. */
static bool raise_msr(struct vcpu *v)
{
    uint64_t value = ((v->done[KIND_MSR] & 0xffffu) + 1) << 4;

    write_msr(options.msr, value);
    return read_msr(options.msr) == value;
}

static bool raise_greq(struct vcpu *v)
{
    (void)v;
    return hvm_op(HVMOP_guest_request_vm_event, NULL) == 0;
}

static bool raise_desc(struct vcpu *v)
{
    struct table_register now;
    const struct table_register *idt = installed_idt();

    (void)v;
    __asm__ volatile("sidt %0" : "=m"(now));
    return now.base == idt->base && now.limit == idt->limit;
}

/* What these count, the handler counts: when the exception arrives. */
static bool raise_bp(struct vcpu *v)
{
    (void)v;
    raise_int3();
    return true;
}

static bool raise_db(struct vcpu *v)
{
    (void)v;
    raise_icebp();
    return true;
}

static bool raise_tf(struct vcpu *v)
{
    (void)v;
    raise_step();
    return true;
}

/*
 * A monitor may inject anything here, and as an instruction of any length: what
 * follows the CPUID is one byte each.
 */
static bool raise_injected(struct vcpu *v)
{
    (void)v;
    raise_slide();
    return true;
}

static const struct {
    const char *name;
    const char *check;
    bool (*raise)(struct vcpu *v); /* false: one more for the check */
} kinds[NR_KINDS] = {
    [KIND_CPUID] = {"cpuid", "wrong", raise_cpuid},
    [KIND_CR0] = {"cr0", "refused", raise_cr0},
    [KIND_CR3] = {"cr3", "refused", raise_cr3},
    [KIND_CR4] = {"cr4", "refused", raise_cr4},
    [KIND_MSR] = {"msr", "refused", raise_msr},
    [KIND_GREQ] = {"greq", "failed", raise_greq},
    [KIND_INT3] = {"int3", "trapped", raise_bp},
    [KIND_DB] = {"db", "trapped", raise_db},
    [KIND_STEP] = {"step", "trapped", raise_tf},
    [KIND_DESC] = {"desc", "wrong", raise_desc},
    [KIND_PROBE] = {"probe", "changed", probe},
    [KIND_INJECT] = {"inject", "trapped", raise_injected},
    [KIND_IO] = {"io", "wrong", raise_io},
    [KIND_MEMR] = {"memr", "wrong", raise_read},
    [KIND_MEMW] = {"memw", "wrong", raise_write},
    [KIND_MEMX] = {"memx", "wrong", raise_execute},
};

const char *kind_name(enum kind k)
{
    return kinds[k].name;
}

const char *check_name(enum kind k)
{
    return kinds[k].check;
}

static void nap(const struct vcpu *v, uint64_t ns)
{
    while (ns) {
        uint64_t part = ns > LONGEST_NAP_NS ? LONGEST_NAP_NS : ns;

        sleep_for(v, part);
        beat(v);
        ns -= part;
    }
}

static void wait_between(const struct vcpu *v)
{
    if (options.pace_us)
        nap(v, (uint64_t)options.pace_us * NS_PER_US);
    if (options.busy_us)
        spin_for(v, (uint64_t)options.busy_us * NS_PER_US);
    for (uint32_t i = 0; i < options.spin; i++)
        __asm__ volatile("");
}

static void one(struct vcpu *v, enum kind k)
{
    uint64_t asked = options.timed ? system_time(v) : 0;
    uint64_t began, ended;

    wait_between(v);
    began = options.timed ? system_time(v) : 0;
    if (!kinds[k].raise(v))
        v->check[k]++;
    if (options.timed) {
        ended = system_time(v);
        latency_note(ended - began);
        asked += (uint64_t)options.pace_us * NS_PER_US;
        latency_gap(ended > asked ? ended - asked : 0);
    }
    v->done[k]++;
    beat(v);
}

static void in_sequence(struct vcpu *v, uint32_t left[NR_KINDS])
{
    for (unsigned int k = 0; k < NR_KINDS; k++) {
        for (; left[k]; left[k]--)
            one(v, k);
    }
}

static void mixed(struct vcpu *v, uint32_t left[NR_KINDS])
{
    bool any;

    do {
        any = false;
        for (unsigned int k = 0; k < NR_KINDS; k++) {
            if (!left[k])
                continue;
            left[k]--;
            one(v, k);
            any = true;
        }
    } while (any);
}

/* What the boot has raised already counts for what is asked. */
static uint32_t still_to_do(const struct vcpu *v, enum kind k)
{
    if (v->done[k] >= options.asked[k])
        return 0;
    return options.asked[k] - v->done[k];
}

/* `xl mem-max` moves it: a way for dom0 to speak to us that is no event. */
int memory_limit(void)
{
    domid_t self = DOMID_SELF;

    return memory_op(XENMEM_maximum_reservation, &self);
}

/* In pages.  A bridge changes it, too, by one or two while it has a ring. */
#define TOLD_BY 256

static int first_limit;

void learn_limit(void)
{
    first_limit = memory_limit();
}

static bool was_told(void)
{
    int change = memory_limit() - first_limit;

    return change >= TOLD_BY || change <= -TOLD_BY;
}

void do_work(struct vcpu *v)
{
    uint32_t left[NR_KINDS];

    for (unsigned int k = 0; k < NR_KINDS; k++)
        left[k] = still_to_do(v, k);
    for (;;) {
        if (options.mixed)
            mixed(v, left);
        else
            in_sequence(v, left);
        if (!options.loop || (options.told && was_told()))
            return;
        for (unsigned int k = 0; k < NR_KINDS; k++)
            left[k] = options.asked[k];
    }
}
