/* SPDX-License-Identifier: MIT */
/* format.c: the formats that there are. */
#include "format.h"

#include <string.h>

#include "json.h"
#include "text.h"

static const struct format formats[] = {
    {
        .name = "text",
        .event = text_event,
        .target = text_target,
        .ledger = text_ledger,
        .kinds = text_kinds,
        .unordered = text_unordered,
    },
    {
        .name = "json",
        .attached = json_attached,
        .event = json_event,
        .target = json_target,
        .ledger = json_ledger,
        .kinds = json_kinds,
        .unordered = json_unordered,
    },
};

#define NR_FORMATS (sizeof(formats) / sizeof(formats[0]))

_Static_assert(NR_FORMATS <= FORMAT_MOST, "who lists them has no more room");

const struct format *format_at(unsigned int i)
{
    return i < NR_FORMATS ? &formats[i] : NULL;
}

const struct format *format_named(const char *name)
{
    for (size_t i = 0; i < NR_FORMATS; i++)
        if (!strcmp(formats[i].name, name))
            return &formats[i];
    return NULL;
}
