/* SPDX-License-Identifier: MIT */
/*
 * pen.c: lines that are broken between their pieces where a terminal ends.
 */
#include "pen.h"

#include <string.h>

/* Deeper than any indentation. */
static const char blanks[] = "\n                                            "
                             "                                            ";

struct pen pen_at(struct output *out, unsigned int columns, unsigned int indent)
{
    return (struct pen){.out = out,
                        .columns = columns,
                        .indent = indent,
                        .piece = output_held(out)};
}

/* Puts the last piece, of `len` bytes, where lines go on. */
static void break_before(struct pen *pen, size_t len)
{
    const char *piece = pen->out->buffer + pen->out->used - len;
    size_t gap = 0, nr = pen->indent;

    /* The blanks before it are a part of the indentation. */
    while (gap < len && gap < nr && piece[gap] == ' ')
        gap++;
    nr -= gap;
    if (nr > sizeof(blanks) - 2)
        nr = sizeof(blanks) - 2;
    output_before(pen->out, len, blanks, nr + 1);
    pen->column = nr;
}

void pen_piece(struct pen *pen)
{
    size_t len = output_held(pen->out) - pen->piece;
    size_t visible = len - pen->hidden;

    if (pen->columns && pen->column > pen->indent &&
        pen->column + visible > pen->columns)
        break_before(pen, len);
    pen->column += visible;
    pen->piece = output_held(pen->out);
    pen->hidden = 0;
}

void pen_paint(struct pen *pen, const char *colour)
{
    size_t before = output_held(pen->out);

    if (!pen->out->colour)
        return;
    output_text(pen->out, colour);
    pen->hidden += output_held(pen->out) - before;
}

void pen_words(struct pen *pen, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, " ");

        output_bytes(pen->out, " ", 1);
        output_bytes(pen->out, text, len);
        pen_piece(pen);
        text += len;
        text += strspn(text, " ");
    }
}

void pen_end(struct pen *pen)
{
    pen_piece(pen);
    output_bytes(pen->out, "\n", 1);
    pen->piece = output_held(pen->out);
    pen->column = 0;
}
