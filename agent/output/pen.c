/* SPDX-License-Identifier: MIT */
/*
 * pen.c: lines that are broken between their pieces where a terminal ends.
 */
#include "pen.h"

#include <string.h>

/* With fewer columns an indentation gives in: what goes on needs the room. */
#define FEW      64
#define SHALLOW  4
#define MAX_TEXT 512

/* Deeper than any indentation. */
static const char blanks[] = "\n                                            "
                             "                                            ";

struct pen pen_at(struct output *out, unsigned int columns, unsigned int indent)
{
    if (columns && columns < FEW && indent > SHALLOW)
        indent = SHALLOW;
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

/* The last `len` bytes, of which so many take a column, in this line or a new
 * one. */
static void place(struct pen *pen, size_t len, size_t visible)
{
    if (visible && pen->columns && pen->column > pen->indent &&
        pen->column + visible > pen->columns)
        break_before(pen, len);
    pen->column += visible;
}

/* The length of a word and the blanks before it, as bytes and as columns. */
static size_t word_at(const char *text, size_t len, size_t *visible)
{
    bool hidden = false, begun = false;
    size_t at = 0;

    *visible = 0;
    for (; at < len && !(begun && !hidden && text[at] == ' '); at++) {
        hidden = hidden || text[at] == '\033';
        *visible += !hidden;
        begun = begun || (!hidden && text[at] != ' ');
        hidden = hidden && text[at] != 'm';
    }
    return at;
}

/* A piece that fits into no line is broken between its words. */
static void place_words(struct pen *pen, size_t len)
{
    char text[MAX_TEXT];
    size_t visible;

    /* Blanks at its end would be a line of their own. */
    while (len && pen->out->buffer[pen->out->used - 1] == ' ') {
        pen->out->used--;
        len--;
    }
    memcpy(text, pen->out->buffer + pen->out->used - len, len);
    pen->out->used -= len;
    for (size_t at = 0, word; at < len; at += word) {
        word = word_at(text + at, len - at, &visible);
        output_bytes(pen->out, text + at, word);
        place(pen, word, visible);
    }
}

void pen_piece(struct pen *pen)
{
    size_t len = output_held(pen->out) - pen->piece;
    size_t visible = len - pen->hidden;

    if (pen->columns && pen->indent + visible > pen->columns && len < MAX_TEXT)
        place_words(pen, len);
    else
        place(pen, len, visible);
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
