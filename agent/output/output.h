/* SPDX-License-Identifier: MIT */
/*
 * output.h: where events and the ledger are written.
 *
 * Buffered, and never waiting while events may be: a pager or a terminal that
 * has stopped reading must not keep the agent from noticing a signal.
 */
#ifndef AGENT_OUTPUT_H
#define AGENT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../terminal/writer.h"

#define OUTPUT_NO_PATIENCE 1000 /* ms */
/* No limit: output_close(). */
#define OUTPUT_WAITS (-1)

struct output {
    int fd;           /* -1: not open; everything written to it vanishes */
    const char *name; /* for messages */
    struct writer writer;
    bool is_terminal;
    bool colour;
    unsigned int columns; /* of a line on a terminal; 0: as long as it is */
    int error;            /* errno of what went wrong first; sticky */
    size_t start, used;   /* the unwritten part of the buffer */
    size_t size;
    char *buffer;
};

/*
 * Opens and truncates `path`, or takes standard output if it is NULL.  Waits
 * for a reader of a FIFO for as long as OUTPUT_READER_MS.  0 or -errno;
 * -ENXIO: no reader came.
 */
#define OUTPUT_READER_MS 10000
int output_open(struct output *out, const char *path);

/* Takes an open descriptor, or the -errno that it could not be opened by. */
int output_take(struct output *out, int fd, const char *name);

/* A terminal's window may have another size than it had. */
void output_resized(struct output *out);

/*
 * A buffer alone, for text that is to be added to `to` by its bytes;
 * buffer[0..used) is the caller's to free.
 */
void output_buffer(struct output *out, const struct output *to);

/* Adds to the buffer, which grows as needed. */
void output_bytes(struct output *out, const void *data, size_t len);
void output_text(struct output *out, const char *text);
void output_visible(struct output *out, const char *text); /* visible.h */
void output_hex(struct output *out, uint64_t value);       /* "0x..." */
void output_printf(struct output *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Bytes added that were not written yet. */
size_t output_held(const struct output *out);

/* Adds `nr` bytes before the last `len`. */
void output_before(struct output *out, size_t len, const char *data, size_t nr);

/* Columns of a table: the terminal's, or SCREEN_COLUMNS. */
unsigned int output_columns(const struct output *out);

/* Does it hold so much that it should be pushed before more is added? */
bool output_is_full(const struct output *out);

/*
 * Writes what can be written without waiting for a reader.  0 all of it;
 * -EAGAIN when the descriptor has to become writable first; or the sticky
 * error, negative.
 */
int output_push(struct output *out);

/*
 * Writes all and closes.  A reader that takes nothing for `limit_ms` is waited
 * for no longer, which is the error ETIMEDOUT.  0 or the sticky error.
 */
int output_close(struct output *out, int limit_ms);

/* How long that is now: a signal to the agent shortens it. */
int output_patience(int limit_ms);

#endif /* AGENT_OUTPUT_H */
