/* SPDX-License-Identifier: MIT */
/*
 * say.c: one line on standard error, "vmring-agent: cause; remedy".
 */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../terminal/visible.h"
#include "output.h"

/* Longer lines are cut, and more of them left out. */
#define LINE    1024
#define WAITING ((size_t)64 << 10)
/* At the end, for whoever reads slowly. */
#define LAST_MS 2000

static struct output out = {.fd = -1};
static unsigned long left_out;

static void finish(void)
{
    (void)output_close(&out, LAST_MS);
}

void say_open(void)
{
    if (output_take(&out, STDERR_FILENO, "standard error") == 0)
        (void)atexit(finish);
}

void say_raw(const char *text, size_t len)
{
    if (out.used - out.start + len > WAITING) {
        left_out++;
        return;
    }
    output_bytes(&out, text, len);
    (void)output_push(&out);
}

void say(const char *format, ...)
{
    char text[LINE], line[VISIBLE_ROOM(LINE)];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (out.used - out.start > WAITING / 2) {
        left_out++;
        return;
    }
    if (left_out)
        output_printf(&out, "vmring-agent: %lu lines were not read\n",
                      left_out);
    left_out = 0;
    output_printf(&out, "vmring-agent: %s\n",
                  visible(line, sizeof(line), text));
    (void)output_push(&out);
}

bool say_is_terminal(void)
{
    return out.is_terminal;
}

void say_push(void)
{
    (void)output_push(&out);
}
