/* SPDX-License-Identifier: MIT */
/* screen.h: how much of a terminal there is behind a descriptor. */
#ifndef TERMINAL_SCREEN_H
#define TERMINAL_SCREEN_H

#include <stdbool.h>

/* Of a terminal that does not say, and of tables in a file. */
#define SCREEN_COLUMNS 80

/* A terminal that does what escape sequences say: TERM is set, and not dumb. */
bool screen_is_smart(int fd);

/* Such a one, and NO_COLOR is not set, or empty. */
bool screen_has_colour(int fd);

/*
 * Columns of a line; 0 if it is no terminal.  What the terminal says, else what
 * COLUMNS does, else SCREEN_COLUMNS; not less than SCREEN_LEAST.
 */
#define SCREEN_LEAST 40
unsigned int screen_columns(int fd);

/* Has argp_help() use what there is of standard output, before it is called. */
void screen_widen_help(void);

#endif /* TERMINAL_SCREEN_H */
