/* SPDX-License-Identifier: MIT */
/*
 * pen.h: lines that are broken between their pieces where a terminal ends.
 */
#ifndef AGENT_PEN_H
#define AGENT_PEN_H

#include <stddef.h>

#include "output.h"

#define PEN_RED    "\033[31m"
#define PEN_GREEN  "\033[32m"
#define PEN_YELLOW "\033[33m"
#define PEN_CYAN   "\033[36m"
#define PEN_BOLD   "\033[1m"
#define PEN_DIM    "\033[2m"
#define PEN_RESET  "\033[0m"

struct pen {
    struct output *out;
    unsigned int columns; /* 0: lines are as long as they are */
    unsigned int indent;  /* of what goes on in a line of its own */
    size_t column;
    size_t piece;  /* where the last one began, as output_held() counts */
    size_t hidden; /* bytes of it that take no column */
};

/* At the beginning of a line. */
struct pen pen_at(struct output *out, unsigned int columns,
                  unsigned int indent);

/* Text written since the last call is a piece, with the blanks before it. */
void pen_piece(struct pen *pen);

/* A colour from here on, where there are colours. */
void pen_paint(struct pen *pen, const char *colour);

/* Each word of `text`, after a blank, is a piece. */
void pen_words(struct pen *pen, const char *text);

/* Ends the line, and what was written of it. */
void pen_end(struct pen *pen);

#endif /* AGENT_PEN_H */
