/* SPDX-License-Identifier: MIT */
/* screen.c: how much of a terminal there is behind a descriptor. */
#include "screen.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Longer lines of prose are hard to read. */
#define HELP_COLUMNS 120

static const char *set(const char *variable)
{
    const char *value = getenv(variable);

    return value && *value ? value : NULL;
}

bool screen_is_smart(int fd)
{
    const char *term = set("TERM");

    return isatty(fd) && term && strcmp(term, "dumb");
}

bool screen_has_colour(int fd)
{
    return screen_is_smart(fd) && !set("NO_COLOR");
}

/* A serial line does not know how wide the screen at its end is. */
static unsigned int told_columns(void)
{
    const char *text = set("COLUMNS");
    unsigned long value = text ? strtoul(text, NULL, 10) : 0;

    return value && value <= USHRT_MAX ? (unsigned int)value : SCREEN_COLUMNS;
}

unsigned int screen_columns(int fd)
{
    struct winsize size = {0};
    unsigned int columns;

    if (!isatty(fd))
        return 0;
    columns = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col
                                                               : told_columns();
    return columns < SCREEN_LEAST ? SCREEN_LEAST : columns;
}

void screen_widen_help(void)
{
    unsigned int columns = screen_columns(STDOUT_FILENO);
    char format[32];

    if (columns > HELP_COLUMNS)
        columns = HELP_COLUMNS;
    if (columns <= SCREEN_COLUMNS)
        return;
    snprintf(format, sizeof(format), "rmargin=%u", columns - 1);
    (void)setenv("ARGP_HELP_FMT", format, 0);
}
