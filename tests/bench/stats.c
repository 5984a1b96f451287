/* SPDX-License-Identifier: MIT */
#include "stats.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Between the two neighbours, in proportion. */
static double quantile(const double *sorted, size_t nr, double q)
{
    double at = q * (double)(nr - 1);
    size_t below = (size_t)at;
    double rest = at - (double)below;

    if (below + 1 == nr)
        return sorted[below];
    return sorted[below] + rest * (sorted[below + 1] - sorted[below]);
}

struct stats stats_of(double *values, size_t nr)
{
    qsort(values, nr, sizeof(*values), compare);
    return (struct stats){
        .median = quantile(values, nr, 0.5),
        .q1 = quantile(values, nr, 0.25),
        .q3 = quantile(values, nr, 0.75),
        .min = values[0],
        .max = values[nr - 1],
    };
}
