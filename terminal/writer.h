/* SPDX-License-Identifier: MIT */
/*
 * writer.h: writing without waiting for the reader.
 *
 * A terminal or a pipe that nobody drains must hold neither the vCPUs that
 * wait for us nor a signal.  Standard output is shared with the shell, so it
 * cannot be made non-blocking itself; and that it polls writable says no more
 * than that the first byte of a write will not wait.
 */
#ifndef TERMINAL_WRITER_H
#define TERMINAL_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct writer {
    int fd;         /* to poll and to write to: `given`, or one of our own */
    int given;      /* -1: nothing is open */
    bool is_socket; /* whose calls can be told not to wait */
    bool waits;     /* a write() could wait for a reader */
};

/*
 * Takes `fd`, an open descriptor.  While files can be opened: it opens what
 * `fd` is once more, if that may stall.
 */
void writer_open(struct writer *writer, int fd);

/*
 * Writes what there is room for, at once: the number of bytes, or -errno;
 * -EAGAIN: there is no reader now, `fd` polls writable when there is one.
 */
ssize_t writer_write(const struct writer *writer, const void *data, size_t len);

/* Closes both.  0 or -errno: network file systems tell no earlier. */
int writer_close(struct writer *writer);

#endif /* TERMINAL_WRITER_H */
