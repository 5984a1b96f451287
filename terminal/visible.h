/* SPDX-License-Identifier: MIT */
/* visible.h: text that may be a peer's, so that a terminal shows it only. */
#ifndef TERMINAL_VISIBLE_H
#define TERMINAL_VISIBLE_H

#include <stddef.h>

/*
 * Writes `text` into `to` as printable ASCII on one line: every other byte,
 * and the backslash, as \ooo in octal (vis(3)).  What finds no room in `len`
 * is left out.  Returns `to`.
 */
char *visible(char *to, size_t len, const char *text);

/* Room for any text of `len` bytes, and its end. */
#define VISIBLE_ROOM(len) (4 * (len) + 1)

#endif /* TERMINAL_VISIBLE_H */
