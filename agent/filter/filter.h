/* SPDX-License-Identifier: MIT */
/*
 * filter.h: an expression over the fields of an event, such as
 * "event == cpuid and leaf in 0x40000000-0x400000ff".
 *
 *   filter   = term {("or" | "||") term}
 *   term     = factor {("and" | "&&") factor}
 *   factor   = {"not" | "!"} (test | "(" filter ")")
 *   test     = field ["&" value] [relation value | "in" range {"," range}]
 *   relation = "==" | "!=" | "<" | "<=" | ">" | ">="
 *   range    = value ["-" value]
 *   value    = number | a name that the field has for one
 *
 * A test of a field that an event has not is false, whatever the relation; a
 * "not" before it makes it true.  Without a relation it is "!= 0".  Numbers
 * are of 64 bits, without a sign.
 *
 * It is kept in postfix form, so that evaluating it takes neither memory nor
 * recursion: some 128 steps at most.
 */
#ifndef AGENT_FILTER_H
#define AGENT_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../libvmring/vmring.h"

#define FILTER_MAX_STEPS 128
#define FILTER_MAX_DEPTH 16 /* of parentheses */

struct filter_step {
    enum { FILTER_TEST, FILTER_NOT, FILTER_AND, FILTER_OR } op;
    /* A test: is value & mask from low to high?  Or else, is it not? */
    unsigned int field;
    bool outside;
    uint64_t mask, low, high;
};

struct filter {
    unsigned int nr; /* 0: everything passes */
    struct filter_step steps[FILTER_MAX_STEPS];
};

struct filter_error {
    size_t at; /* the byte of the text that it is about */
    char text[256];
};

/*
 * Adds an expression, which must hold as well as what is there.  0; -EINVAL,
 * and the filter is as it was.
 */
int filter_add(struct filter *filter, const char *text,
               struct filter_error *error);

/* Does this event pass? */
bool filter_passes(const struct filter *filter,
                   const struct vmring_event *event, uint32_t arch);

/*
 * The text, with a mark under the byte that an error is about: two lines of
 * less than 80 columns, with whatever is not printable as '?'.
 */
#define FILTER_MARK_LEN 160
void filter_mark(const char *text, const struct filter_error *error,
                 char mark[FILTER_MARK_LEN]);

#endif /* AGENT_FILTER_H */
