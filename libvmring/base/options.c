/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* No such structure will be longer: a greater one was never set. */
#define MAX_SIZE 4096

static int check_size(size_t size)
{
    return size < sizeof(size_t) || size > MAX_SIZE ? -EINVAL : 0;
}

int options_copy(void *ours, size_t size, const void *theirs)
{
    size_t theirs_size, common;

    memcpy(&theirs_size, theirs, sizeof(theirs_size));
    if (check_size(theirs_size))
        return -EINVAL;
    for (size_t i = size; i < theirs_size; i++)
        if (((const unsigned char *)theirs)[i])
            return -E2BIG;
    common = theirs_size < size ? theirs_size : size;
    memset(ours, 0, size);
    memcpy(ours, theirs, common);
    return 0;
}

int options_fill(void *theirs, const void *ours, size_t size)
{
    size_t theirs_size;

    memcpy(&theirs_size, theirs, sizeof(theirs_size));
    if (check_size(theirs_size))
        return -EINVAL;
    memset(theirs, 0, theirs_size);
    memcpy(theirs, ours, theirs_size < size ? theirs_size : size);
    memcpy(theirs, &theirs_size, sizeof(theirs_size));
    return 0;
}

void log_line(const struct log *log, int level, const char *format, ...)
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
