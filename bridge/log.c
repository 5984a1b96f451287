/* SPDX-License-Identifier: MIT */
/* log.c: one line on standard error. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "log.h"

static int threshold = LOG_NOTICE;

void log_threshold(int level)
{
    threshold = level;
}

int log_shows(int level)
{
    return level <= threshold;
}

void log_line(int level, const char *format, ...)
{
    int saved = errno;
    char text[512];
    va_list args;

    if (!log_shows(level))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    /* One write, so that lines of several programs do not mix. */
    fprintf(stderr, "vmring-bridge: %s\n", text);
    errno = saved;
}

void log_text(void *ctx, int level, const char *text)
{
    (void)ctx;
    log_line(level, "%s", text);
}
