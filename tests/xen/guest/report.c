/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <stddef.h>

#include "cpuid.h"
#include "latency.h"
#include "machine.h"
#include "options.h"
#include "print.h"
#include "scan.h"
#include "work.h"

#define NS_PER_MS 1000000

static void report_vcpu(const struct vcpu *v)
{
    struct line l;

    line_begin(&l, "vcpu ");
    line_number(&l, v->id);
    line_prefix(&l);
    for (unsigned int k = 0; k < NR_KINDS; k++) {
        if (!options.asked[k])
            continue;
        line_pair(&l, kind_name(k), NULL, v->done[k]);
        line_pair(&l, kind_name(k), check_name(k), v->check[k]);
    }
    line_pair(&l, "stray", NULL, v->stray);
    line_end(&l);
}

static void report_total(uint64_t ms)
{
    struct line l;
    uint64_t stray = 0;

    line_begin(&l, "total");
    line_prefix(&l);
    line_pair(&l, "vcpus", NULL, options.nr_vcpus);
    line_pair(&l, "ms", NULL, ms);
    for (unsigned int k = 0; k < NR_KINDS; k++) {
        uint64_t done = 0, check = 0;

        for (unsigned int i = 0; i < options.nr_vcpus; i++) {
            done += vcpus[i].done[k];
            check += vcpus[i].check[k];
        }
        line_pair(&l, kind_name(k), NULL, done);
        line_pair(&l, kind_name(k), check_name(k), check);
    }
    for (unsigned int i = 0; i < options.nr_vcpus; i++)
        stray += vcpus[i].stray;
    line_pair(&l, "stray", NULL, stray);
    line_end(&l);
}

void report(uint64_t ns)
{
    for (unsigned int i = 0; i < options.nr_vcpus; i++) {
        vcpus[i].check[KIND_CPUID] +=
            nr_cpuid_differences(&vcpus[i], &vcpus[0]);
        if (options.verbose)
            report_vcpu(&vcpus[i]);
    }
    divide(&ns, NS_PER_MS);
    report_total(ns);
    if (options.timed)
        latency_report();
    scan_report();
}
