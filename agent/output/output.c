/* SPDX-License-Identifier: MIT */
/*
 * output.c: where events and the ledger are written.
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../terminal/screen.h"
#include "../../terminal/visible.h"
#include "../base/clock.h"
#include "../base/early.h"

#define FULL  ((size_t)256 << 10)
#define START (FULL + ((size_t)16 << 10))

/* Between two looks whether a FIFO has got its reader. */
#define READER_POLL_MS 20

static bool is_fifo(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* A descriptor or -errno.  A FIFO without a reader would keep us, deaf. */
static int open_for_writing(const char *path)
{
    const struct timespec pause = {.tv_nsec = READER_POLL_MS * 1000000L};
    int fd = -1;

    for (int ms = 0; ms <= OUTPUT_READER_MS; ms += READER_POLL_MS) {
        fd = open(path,
                  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY |
                      O_NONBLOCK,
                  0666);
        if (fd < 0)
            fd = -errno;
        if (fd != -ENXIO || !is_fifo(path))
            break;
        nanosleep(&pause, NULL);
    }
    return fd;
}

int output_take(struct output *out, int fd, const char *name)
{
    memset(out, 0, sizeof(*out));
    out->name = name;
    out->fd = out->writer.given = -1;
    if (fd < 0) {
        out->error = -fd;
        return fd;
    }
    out->buffer = malloc(START);
    if (!out->buffer) {
        out->error = ENOMEM;
        return -ENOMEM;
    }
    out->size = START;
    out->is_terminal = isatty(fd);
    out->colour = screen_has_colour(fd);
    out->columns = screen_columns(fd);
    writer_open(&out->writer, fd);
    out->fd = out->writer.fd;
    return 0;
}

int output_open(struct output *out, const char *path)
{
    int fd = path ? open_for_writing(path) : STDOUT_FILENO;
    int r = output_take(out, fd, path ? path : "standard output");

    if (r && path && fd >= 0)
        close(fd);
    return r;
}

void output_resized(struct output *out)
{
    if (out->is_terminal && out->fd >= 0)
        out->columns = screen_columns(out->fd);
}

unsigned int output_columns(const struct output *out)
{
    return out->columns ? out->columns : SCREEN_COLUMNS;
}

void output_buffer(struct output *out, const struct output *to)
{
    *out = (struct output){.fd = to->fd,
                           .name = to->name,
                           .colour = to->colour,
                           .columns = to->columns};
}

/* Room for `len` more bytes; NULL once an error has made writing pointless. */
static char *room(struct output *out, size_t len)
{
    char *bigger;
    size_t size;

    if (out->error || out->fd < 0)
        return NULL;
    if (out->start && out->size - out->used < len) {
        memmove(out->buffer, out->buffer + out->start, out->used - out->start);
        out->used -= out->start;
        out->start = 0;
    }
    if (out->size - out->used < len) {
        size = out->size * 2 + len;
        bigger = realloc(out->buffer, size);
        if (!bigger) {
            out->error = ENOMEM;
            return NULL;
        }
        out->buffer = bigger;
        out->size = size;
    }
    return out->buffer + out->used;
}

void output_bytes(struct output *out, const void *data, size_t len)
{
    char *to = room(out, len);

    if (to) {
        memcpy(to, data, len);
        out->used += len;
    }
}

void output_text(struct output *out, const char *text)
{
    output_bytes(out, text, strlen(text));
}

void output_visible(struct output *out, const char *text)
{
    size_t len = VISIBLE_ROOM(strlen(text));
    char *to = room(out, len);

    if (to)
        out->used += strlen(visible(to, len, text));
}

size_t output_held(const struct output *out)
{
    return out->used - out->start;
}

void output_before(struct output *out, size_t len, const char *data, size_t nr)
{
    char *to = room(out, nr);

    if (!to)
        return;
    memmove(to - len + nr, to - len, len);
    memcpy(to - len, data, nr);
    out->used += nr;
}

/* Several times in each line: faster than output_printf() by far. */
void output_hex(struct output *out, uint64_t value)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 + 16], *at = text + sizeof(text);

    do
        *--at = digits[value & 15];
    while (value >>= 4);
    *--at = 'x';
    *--at = '0';
    output_bytes(out, at, (size_t)(text + sizeof(text) - at));
}

void output_printf(struct output *out, const char *format, ...)
{
    size_t len = 256;
    va_list args;

    for (;;) {
        char *to = room(out, len);
        int n;

        if (!to)
            return;
        va_start(args, format);
        n = vsnprintf(to, len, format, args);
        va_end(args);
        if (n < 0)
            return;
        if ((size_t)n < len) {
            out->used += (size_t)n;
            return;
        }
        len = (size_t)n + 1;
    }
}

bool output_is_full(const struct output *out)
{
    return out->used - out->start >= FULL;
}

static int write_some(struct output *out)
{
    ssize_t n = writer_write(&out->writer, out->buffer + out->start,
                             out->used - out->start);

    if (n == -EAGAIN)
        return -EAGAIN;
    if (n < 0) {
        out->error = (int)-n;
        out->start = out->used = 0;
        return -out->error;
    }
    out->start += (size_t)n;
    if (out->start == out->used)
        out->start = out->used = 0;
    return 0;
}

int output_push(struct output *out)
{
    int r = 0;

    while (!out->error && out->used && !r)
        r = write_some(out);
    return out->error ? -out->error : r;
}

/* Until it can be written to; 0 once that has taken until `end`. */
static int wait_for_reader(const struct output *out, int64_t end)
{
    struct pollfd pfd = {.fd = out->fd, .events = POLLOUT};
    int64_t left = end < 0 ? -1 : end - clock_ms();
    int r;

    if (end >= 0 && left < 0)
        left = 0;
    r = poll(&pfd, 1, (int)left);
    return r < 0 && errno == EINTR ? 1 : r;
}

int output_patience(int limit_ms)
{
    bool hurry =
        early_has_come(NULL) && (limit_ms < 0 || limit_ms > OUTPUT_NO_PATIENCE);

    return hurry ? OUTPUT_NO_PATIENCE : limit_ms;
}

int output_close(struct output *out, int limit_ms)
{
    int64_t since = clock_ms();
    int r;

    while (!out->error && out->used) {
        int patience = output_patience(limit_ms);

        if (write_some(out) != -EAGAIN)
            since = clock_ms();
        else if (!wait_for_reader(out, patience < 0 ? -1 : since + patience))
            out->error = ETIMEDOUT;
    }
    r = writer_close(&out->writer);
    if (r && !out->error)
        out->error = -r;
    free(out->buffer);
    out->buffer = NULL;
    out->fd = -1;
    return -out->error;
}
