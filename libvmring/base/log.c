/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void log_to(const struct log *log, int level, const char *format, ...)
{
    char text[256];
    va_list args;

    if (!log->fn)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log->fn(log->ctx, level, text);
}

void explain(char *error, size_t error_len, const char *format, ...)
{
    va_list args;

    if (error && error_len) {
        va_start(args, format);
        vsnprintf(error, error_len, format, args);
        va_end(args);
    }
}

const char *limit_remedy(int err)
{
    switch (err) {
    case -ENOMEM:
        return "; raise the limit of memory (ulimit -v), or ask for less";
    case -EMFILE:
        return "; raise the limit of open files (ulimit -n)";
    case -ENFILE:
        return "; all open files of this machine are in use";
    }
    return "";
}
