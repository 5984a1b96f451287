/* SPDX-License-Identifier: MIT */
/*
 * number.h: numbers of the command lines of both programs.
 *
 *   number    decimal, without a leading zero, or hexadecimal after 0x, as
 *             vm_ring(7) has it
 *   count     a number, or decimal with k, m or g: thousands...
 *   size      a number, or decimal with k, m or g: times 1024...; bytes
 *   time      a number of the option's own unit, or decimal with us, ms, s,
 *             m or h; decimal may have a fraction; 0, or 1us at least
 */
#ifndef TERMINAL_NUMBER_H
#define TERMINAL_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUMBER_US UINT64_C(1000) /* in nanoseconds, as times are here */
#define NUMBER_MS (1000 * NUMBER_US)
#define NUMBER_S  (1000 * NUMBER_MS)
#define NUMBER_H  (3600 * NUMBER_S)

/* The numbers that an option takes. */
struct number {
    enum { NUMBER_PLAIN, NUMBER_COUNT, NUMBER_SIZE, NUMBER_TIME } kind;
    uint64_t unit;     /* of a time without one, in ns */
    uint64_t min, max; /* of a time in ns */
    const char *what;  /* "a time", "bytes" */
    const char *as;    /* examples: "10s or 500ms" */
    const char *word;  /* "none": stands for no number at all; or NULL */
};

/*
 * The whole text, from number->min to max.  A time is rounded to ns.  The word
 * is 0.  false: it is none of that.
 */
bool number_parse(const struct number *number, const char *text,
                  uint64_t *value);

/* "give a time, from 1ms to 24h, as in 10s or 500ms"; returns text. */
const char *number_remedy(const struct number *number, char *text, size_t len);

/* A plain number alone. */
bool number_read(const char *text, uint64_t min, uint64_t max, uint64_t *value);

#endif /* TERMINAL_NUMBER_H */
