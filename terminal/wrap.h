/* SPDX-License-Identifier: MIT */
/* wrap.h: a line that is broken between its words where a terminal ends. */
#ifndef TERMINAL_WRAP_H
#define TERMINAL_WRAP_H

#include <stddef.h>

/*
 * Writes `text` into `to`, on lines of at most `columns` if its words are no
 * longer; those after the first are indented.  0 columns: on one line.  What
 * finds no room in `len` is left out.  Returns the length.
 */
size_t wrap(char *to, size_t len, const char *text, unsigned int columns);

#define WRAP_INDENT 4

/* Room for any text of `len` bytes, and its end: two words to a line. */
#define WRAP_ROOM(len) ((len) / 2 * (2 + WRAP_INDENT) + 2)

#endif /* TERMINAL_WRAP_H */
