/* SPDX-License-Identifier: MIT */
/*
 * times.h: when an event was, as people and programs read it.
 */
#ifndef AGENT_TIMES_H
#define AGENT_TIMES_H

#include <stddef.h>
#include <stdint.h>

/* --time */
enum times {
    TIMES_RELATIVE, /* since the agent attached */
    TIMES_ABSOLUTE, /* by the wall clock, in UTC */
    TIMES_DELTA,    /* since the event before it of the same vCPU */
};

#define TIMES_LEN 32 /* room for any of them */

/* "12.345678", or nine digits after the point; negative ones too. */
const char *times_seconds(char text[TIMES_LEN], int64_t ns, int digits);

/*
 * ISO 8601: "2026-12-01T21:34:30.123456789Z", of `ns` since 1970.  With six
 * digits only the time of the day.
 */
const char *times_wall(char text[TIMES_LEN], int64_t ns, int digits);

#endif /* AGENT_TIMES_H */
