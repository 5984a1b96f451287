/* SPDX-License-Identifier: MIT */
/* number.c: see number.h. */
#include "number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

bool number_read(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
    bool is_hex = text[0] == '0' && text[1] == 'x';
    char *end;

    /* strtoull() would take a sign, spaces, and octal. */
    if (!isdigit((unsigned char)text[0]) ||
        (text[0] == '0' && isdigit((unsigned char)text[1])))
        return false;
    errno = 0;
    *value = strtoull(text, &end, is_hex ? 16 : 10);
    return !errno && !*end && *value >= min && *value <= max;
}
