/* SPDX-License-Identifier: MIT */
/*
 * times.c: when an event was, as people and programs read it.
 */
#include "times.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define SECOND INT64_C(1000000000)

/* Of nanoseconds, so many digits. */
static int64_t cut(int64_t ns, int digits)
{
    return digits == 6 ? ns / 1000 : ns;
}

const char *times_seconds(char text[TIMES_LEN], int64_t ns, int digits)
{
    /* A sign of its own: -0.5 s has no integer part to carry it. */
    uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

    snprintf(text, TIMES_LEN, "%s%" PRIu64 ".%0*" PRId64, ns < 0 ? "-" : "",
             size / (uint64_t)SECOND, digits,
             cut((int64_t)(size % (uint64_t)SECOND), digits));
    return text;
}

const char *times_wall(char text[TIMES_LEN], int64_t ns, int digits)
{
    time_t seconds = (time_t)(ns / SECOND);
    int64_t within = ns % SECOND;
    struct tm tm = {0};
    size_t len;

    if (within < 0) {
        within += SECOND;
        seconds--;
    }
    (void)gmtime_r(&seconds, &tm);
    len = strftime(text, TIMES_LEN, digits == 6 ? "%T" : "%FT%T", &tm);
    snprintf(text + len, TIMES_LEN - len, ".%0*" PRId64 "Z", digits,
             cut(within, digits));
    return text;
}
