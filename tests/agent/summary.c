/* SPDX-License-Identifier: MIT */
/*
 * Description: a summary counts every event once, of so many values; what does
 * not fit is counted as others, also when those of threads are added up.
 */
#include "../../agent/ledger/summary.h"

#include "../unit/check.h"

#define X86 XEN_VM_RING_ARCH_X86

static struct summary_row rows[SUMMARY_MOST];
static uint64_t others;
static size_t values;
static bool more;

static void cpuid(struct summary *summary, uint32_t leaf, uint64_t rip)
{
    struct vmring_event event = {.rec.reason = XEN_VM_RING_REASON_CPUID,
                                 .rec.length = XEN_VM_RING_EVENT_FULL};

    event.rec.u.cpuid.leaf = leaf;
    event.rec.regs.x86.rip = rip;
    summary_count(summary, &event, X86);
}

static size_t top(const struct summary *summary, enum summary_by by, size_t nr)
{
    return summary_top(summary, by, rows, nr, &others, &values, &more);
}

static void check_each(void)
{
    struct summary *summary = summary_new();
    struct vmring_event event = {.rec.reason = XEN_VM_RING_REASON_MOV_TO_MSR};

    event.rec.u.mov_to_msr.msr = 0xc0000082;
    summary_count(summary, &event, X86);
    event.rec.reason = XEN_VM_RING_REASON_WRITE_CTRLREG;
    event.rec.u.write_ctrlreg.index = 2;
    summary_count(summary, &event, X86);
    summary_count(summary, &event, X86);
    cpuid(summary, 7, 0x1000);
    CHECK_EQ(summary_events(summary), 4);
    CHECK_EQ(top(summary, SUMMARY_REASON, 10), 3);
    CHECK_EQ(rows[0].value, XEN_VM_RING_REASON_WRITE_CTRLREG);
    CHECK_EQ(rows[0].events, 2);
    CHECK_EQ(others, 0);
    CHECK_EQ(top(summary, SUMMARY_MSR, 10), 1);
    CHECK_EQ(rows[0].value, 0xc0000082);
    CHECK_EQ(top(summary, SUMMARY_REGISTER, 10), 1);
    CHECK_EQ(rows[0].value, 2);
    CHECK_EQ(top(summary, SUMMARY_LEAF, 10), 1);
    CHECK_EQ(rows[0].value, 7);
    /* Only one had registers, and of x86. */
    CHECK_EQ(top(summary, SUMMARY_RIP, 10), 1);
    event.rec.length = XEN_VM_RING_EVENT_FULL;
    summary_count(summary, &event, 77);
    CHECK_EQ(top(summary, SUMMARY_RIP, 10), 1);
    CHECK_EQ(rows[0].value, 0x1000);
    summary_free(summary);
    summary_free(NULL);
}

/* Leaf i as often as i says, in an order that is none. */
static void check_top(void)
{
    struct summary *summary = summary_new();

    for (uint32_t i = 0; i < 101; i++)
        for (uint32_t n = i * 37 % 101, k = 0; k <= n; k++)
            cpuid(summary, n, 0);
    CHECK_EQ(top(summary, SUMMARY_LEAF, 10), 10);
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_EQ(rows[i].value, 100 - i);
        CHECK_EQ(rows[i].events, 101 - i);
    }
    CHECK_EQ(values, 91);
    CHECK(!more);
    CHECK_EQ(others, 91 * 92 / 2);
    CHECK_EQ(top(summary, SUMMARY_LEAF, 200), 101);
    CHECK_EQ(others, 0);
    summary_free(summary);
}

static uint64_t sum_of(const struct summary *summary)
{
    uint64_t sum = 0;
    size_t nr = top(summary, SUMMARY_RIP, SUMMARY_MOST);

    for (size_t i = 0; i < nr; i++)
        sum += rows[i].events;
    return sum + others;
}

static void check_bound(void)
{
    struct summary *first = summary_new(), *second = summary_new();

    for (uint64_t i = 0; i < SUMMARY_MOST + 1000; i++) {
        cpuid(first, 1, i);
        cpuid(second, 1, 2 * i);
    }
    CHECK_EQ(top(first, SUMMARY_RIP, SUMMARY_MOST), SUMMARY_MOST);
    CHECK_EQ(others, 1000);
    CHECK(more);
    summary_add(first, second);
    CHECK_EQ(summary_events(first), 2 * (SUMMARY_MOST + 1000));
    CHECK_EQ(sum_of(first), 2 * (SUMMARY_MOST + 1000));
    CHECK_EQ(top(first, SUMMARY_RIP, SUMMARY_MOST), SUMMARY_MOST);
    CHECK_EQ(rows[0].events, 2);
    /* Those that are in both. */
    CHECK_EQ(others, 1000 + SUMMARY_MOST / 2 + 1000);
    CHECK_EQ(top(first, SUMMARY_LEAF, 10), 1);
    summary_free(first);
    summary_free(second);
}

int main(void)
{
    check_each();
    check_top();
    check_bound();
    return 0;
}
