/* SPDX-License-Identifier: MIT */
#include "beat.h"

#include <stddef.h>

#include "clock.h"
#include "latency.h"
#include "machine.h"
#include "options.h"
#include "print.h"

#define NS_PER_MS 1000000
#define NS_PER_S  1000000000ull

static uint64_t start, next; /* next: 0 until the work begins */

/* A sum over what others are writing: each word is whole, and only grows. */
static uint64_t nr_events(void)
{
    uint64_t n = 0;

    for (unsigned int i = 0; i < options.nr_vcpus; i++) {
        for (unsigned int k = 0; k < NR_KINDS; k++)
            n += __atomic_load_n(&vcpus[i].done[k], __ATOMIC_RELAXED);
    }
    return n;
}

void beat_start(uint64_t now)
{
    start = now;
    next = now + options.beat_s * NS_PER_S;
}

void beat(const struct vcpu *v)
{
    struct line l;
    uint64_t now, ms;

    if (v->id != 0 || !options.beat_s || !next)
        return;
    now = system_time(v);
    if (now < next)
        return;
    next = now + options.beat_s * NS_PER_S;
    ms = now - start;
    divide(&ms, NS_PER_MS);
    line_begin(&l, "beat");
    line_pair(&l, "ms", NULL, ms);
    line_pair(&l, "events", NULL, nr_events());
    if (options.timed)
        line_pair(&l, "gap_us", NULL, latency_gap_us());
    line_end(&l);
}
