/* SPDX-License-Identifier: MIT */
/* wrap.c: see wrap.h. */
#include "wrap.h"

#include <stdbool.h>
#include <string.h>

static size_t put(char *to, size_t len, size_t used, const char *text,
                  size_t nr)
{
    if (nr > len - 1 - used)
        nr = len - 1 - used;
    memcpy(to + used, text, nr);
    return used + nr;
}

size_t wrap(char *to, size_t len, const char *text, unsigned int columns)
{
    static const char next_line[] = "\n    ";
    size_t used = 0, column = 0;

    _Static_assert(sizeof(next_line) == WRAP_INDENT + 2, "as WRAP_ROOM has it");
    while (*text) {
        size_t blank = *text == ' ';
        size_t nr = blank + strcspn(text + blank, " ");

        if (columns && blank && column > WRAP_INDENT && column + nr > columns) {
            used = put(to, len, used, next_line, sizeof(next_line) - 1);
            column = WRAP_INDENT;
            text += blank;
            nr -= blank;
        }
        used = put(to, len, used, text, nr);
        column += nr;
        text += nr;
    }
    to[used] = '\0';
    return used;
}
