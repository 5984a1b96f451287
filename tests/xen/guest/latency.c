/* SPDX-License-Identifier: MIT */
#include "latency.h"

#include <stdbool.h>
#include <stddef.h>

#include "machine.h"
#include "print.h"

/* 32 buckets an octave: a bucket is 3 % wide. */
#define OCTAVE     32
#define NR_BUCKETS (28 * OCTAVE)

static uint32_t counts[NR_BUCKETS];
static uint32_t longest; /* at most what it holds: 4.2 s */

static unsigned int bucket_of(uint64_t ns)
{
    uint32_t v = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
    unsigned int shift;

    if (v < OCTAVE)
        return v;
    shift = 31 - 5 - (unsigned int)__builtin_clz(v);
    return shift * OCTAVE + (v >> shift);
}

static uint64_t middle_of(unsigned int bucket)
{
    unsigned int shift;

    if (bucket < 2 * OCTAVE)
        return bucket;
    shift = bucket / OCTAVE - 1;
    return ((uint64_t)(OCTAVE + bucket % OCTAVE) << shift) +
           (1u << (shift - 1));
}

static uint32_t gap_us;

uint32_t latency_gap_us(void)
{
    return __atomic_exchange_n(&gap_us, 0, __ATOMIC_RELAXED);
}

/* In microseconds, so that one word has it whole. */
void latency_gap(uint64_t ns)
{
    uint32_t us, most = __atomic_load_n(&gap_us, __ATOMIC_RELAXED);

    divide(&ns, 1000);
    us = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
    while (us > most &&
           !__atomic_compare_exchange_n(&gap_us, &most, us, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
}

void latency_note(uint64_t ns)
{
    uint32_t before = __atomic_load_n(&longest, __ATOMIC_RELAXED);
    uint32_t took = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;

    while (took > before &&
           !__atomic_compare_exchange_n(&longest, &before, took, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
    __atomic_fetch_add(&counts[bucket_of(ns)], 1, __ATOMIC_RELAXED);
}

/* Where the first `part` of a hundred of `nr` lie. */
static uint64_t percentile(uint32_t nr, uint32_t part)
{
    uint32_t want = nr / 100 * part + nr % 100 * part / 100, seen = 0;

    for (unsigned int i = 0; i < NR_BUCKETS; i++) {
        seen += counts[i];
        if (seen > want)
            return middle_of(i);
    }
    return 0;
}

void latency_report(void)
{
    struct line l;
    uint32_t nr = 0;

    for (unsigned int i = 0; i < NR_BUCKETS; i++)
        nr += counts[i];
    line_begin(&l, "latency");
    line_prefix(&l);
    line_pair(&l, "events", NULL, nr);
    line_pair(&l, "p50_ns", NULL, percentile(nr, 50));
    line_pair(&l, "p99_ns", NULL, percentile(nr, 99));
    line_pair(&l, "max_ns", NULL, longest);
    line_end(&l);
}
