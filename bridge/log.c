/* SPDX-License-Identifier: MIT */
/* log.c: one line on standard error. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../terminal/visible.h"
#include "log.h"

static int threshold = LOG_NOTICE;

/* Lines that nobody would have read: see log_write(). */
static unsigned long dropped;

void log_threshold(int level)
{
    threshold = level;
}

int log_shows(int level)
{
    return level <= threshold;
}

/*
 * Never blocks: a reader that has stopped (a pager, a terminal after Ctrl-S)
 * must not stop the vCPUs that wait for us.  At most PIPE_BUF bytes, so that
 * a pipe that polls writable takes all of them, and lines do not mix.
 */
static int log_write(const char *text, size_t len)
{
    struct pollfd pfd = {.fd = STDERR_FILENO, .events = POLLOUT};

    if (poll(&pfd, 1, 0) != 1 || !(pfd.revents & POLLOUT))
        return -1;
    return write(STDERR_FILENO, text, len) < 0 ? -1 : 0;
}

void log_line(int level, const char *format, ...)
{
    int saved = errno;
    char raw[512], text[sizeof("vmring-bridge: ") + VISIBLE_ROOM(512)];
    char note[64];
    va_list args;
    size_t len;

    if (!log_shows(level))
        return;
    len = (size_t)snprintf(text, sizeof(text), "vmring-bridge: ");
    va_start(args, format);
    vsnprintf(raw, sizeof(raw), format, args);
    va_end(args);
    /* A peer's words, or a guest's name, may be among them. */
    visible(text + len, sizeof(text) - len - 1, raw);
    len = strlen(text);
    text[len++] = '\n';
    if (dropped) {
        int said =
            snprintf(note, sizeof(note),
                     "vmring-bridge: %lu lines were not read\n", dropped);

        if (log_write(note, (size_t)said) == 0)
            dropped = 0;
    }
    if (dropped || log_write(text, len) < 0)
        dropped++;
    errno = saved;
}

void log_plain(const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (log_write(text, strlen(text)) < 0)
        dropped++;
}

void log_text(void *ctx, int level, const char *text)
{
    (void)ctx;
    log_line(level, "%s", text);
}
