/* SPDX-License-Identifier: MIT */
/*
 * output.c: where events and the ledger are written.
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FULL  ((size_t)256 << 10)
#define START (FULL + ((size_t)16 << 10))

int output_open(struct output *out, const char *path)
{
    struct stat st;

    memset(out, 0, sizeof(*out));
    out->name = path ? path : "standard output";
    out->fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
                   : STDOUT_FILENO;
    if (out->fd < 0 || fstat(out->fd, &st) < 0) {
        out->error = errno;
        out->fd = -1;
        return -out->error;
    }
    out->buffer = malloc(START);
    if (!out->buffer) {
        out->error = ENOMEM;
        return -ENOMEM;
    }
    out->size = START;
    out->is_terminal = isatty(out->fd);
    out->can_stall =
        out->is_terminal || S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
    out->colour = out->is_terminal && !getenv("NO_COLOR");
    return 0;
}

void output_buffer(struct output *out, const struct output *to)
{
    *out =
        (struct output){.fd = to->fd, .name = to->name, .colour = to->colour};
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

static int write_some(struct output *out, size_t most)
{
    size_t len = out->used - out->start;
    ssize_t n;

    do
        n = write(out->fd, out->buffer + out->start, len < most ? len : most);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        if (errno == EAGAIN)
            return -EAGAIN;
        out->error = errno;
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
    struct pollfd pfd = {.fd = out->fd, .events = POLLOUT};
    int r = 0;

    while (!out->error && out->used && !r) {
        /*
         * The descriptor may be shared with the shell, so it stays blocking.
         * A pipe that polls writable takes PIPE_BUF bytes without blocking.
         */
        if (out->can_stall && poll(&pfd, 1, 0) == 0)
            return -EAGAIN;
        r = write_some(out, out->can_stall ? PIPE_BUF : SIZE_MAX);
    }
    return out->error ? -out->error : r;
}

int output_close(struct output *out)
{
    struct pollfd pfd = {.fd = out->fd, .events = POLLOUT};

    while (!out->error && out->used) {
        if (write_some(out, SIZE_MAX) == -EAGAIN)
            poll(&pfd, 1, -1);
    }
    /* Network file systems report a full disk no earlier than here. */
    if (out->fd >= 0 && close(out->fd) < 0 && !out->error)
        out->error = errno;
    free(out->buffer);
    out->buffer = NULL;
    out->fd = -1;
    return -out->error;
}
