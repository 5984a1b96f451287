/* SPDX-License-Identifier: MIT */
/*
 * say.h: one line on standard error, "vmring-agent: cause; remedy".
 *
 * The only way there: what a peer has put into a line is made visible, and
 * a reader that does not read is not waited for.  For the main thread.
 */
#ifndef AGENT_SAY_H
#define AGENT_SAY_H

#include <stdbool.h>
#include <stddef.h>

#include "output.h"

/* First of all; until files cannot be opened any more. */
void say_open(void);

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* That there is none for this. */
void say_no_memory(const char *what);

/* As it is: our own text, of several lines or none. */
void say_raw(const char *text, size_t len);

/* A buffer for such text, of lines that fit there. */
void say_buffer(struct output *text);

/* Does a person look at it? */
bool say_is_terminal(void);

/* At a terminal where a line can be written over? */
bool say_is_live(void);

/* Its window has another size, perhaps. */
void say_resized(void);
unsigned int say_columns(void);

/* Writes what has not been read so far, if there is a reader now. */
void say_push(void);

#endif /* AGENT_SAY_H */
