/* SPDX-License-Identifier: MIT */
/* filter.c: whether an event passes a filter. */
#include "filter.h"

#include "fields.h"

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
