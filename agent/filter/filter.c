/* SPDX-License-Identifier: MIT */
/* filter.c: whether an event passes a filter, and where one is wrong. */
#include "filter.h"

#include <stdio.h>

#include "../event/fields.h"

static bool test(const struct filter_step *step,
                 const struct vmring_event *event, uint32_t arch)
{
    uint64_t value;

    if (!field_value(step->field, event, arch, &value))
        return false;
    value &= step->mask;
    return (value >= step->low && value <= step->high) != step->outside;
}

bool filter_passes(const struct filter *filter,
                   const struct vmring_event *event, uint32_t arch)
{
    /* The stack, a bit each: filter_parse.c sees to its depth. */
    uint64_t stack = 1;

    for (unsigned int i = 0; i < filter->nr; i++) {
        const struct filter_step *step = &filter->steps[i];
        uint64_t top = stack & 1;

        switch (step->op) {
        case FILTER_TEST:
            stack = stack << 1 | test(step, event, arch);
            break;
        case FILTER_NOT:
            stack ^= 1;
            break;
        case FILTER_AND:
            stack >>= 1;
            stack &= ~UINT64_C(1) | top;
            break;
        case FILTER_OR:
            stack >>= 1;
            stack |= top;
            break;
        }
    }
    return stack & 1;
}

void filter_mark(const char *text, const struct filter_error *error,
                 char mark[FILTER_MARK_LEN])
{
    enum { SHOWN = 72 };
    /* So much of it that the place is seen, with what stands around it. */
    size_t from = error->at < SHOWN - 8 ? 0 : error->at - SHOWN / 2;
    char *to = mark;

    *to++ = ' ';
    *to++ = ' ';
    for (const char *c = text + from; *c && to < mark + 2 + SHOWN; c++)
        *to++ = (char)(*c >= ' ' && *c <= '~' ? *c : '?');
    snprintf(to, (size_t)(mark + FILTER_MARK_LEN - to), "\n%*s^",
             (int)(error->at - from) + 2, "");
}
