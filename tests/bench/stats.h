/* SPDX-License-Identifier: MIT */
/* stats.h: what a row of samples comes to. */
#ifndef VMRING_BENCH_STATS_H
#define VMRING_BENCH_STATS_H

#include <stddef.h>

struct stats {
    double median, q1, q3, min, max;
};

/* `values` are put in order; nr is not 0. */
struct stats stats_of(double *values, size_t nr);

#endif /* VMRING_BENCH_STATS_H */
