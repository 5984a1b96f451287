/* SPDX-License-Identifier: MIT */
/*
 * say.c: one line on standard error, "vmring-agent: cause; remedy".
 */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../terminal/screen.h"
#include "../../terminal/visible.h"
#include "pen.h"

/* Longer lines are cut, and more of them left out. */
#define LINE    1024
#define WAITING ((size_t)64 << 10)
/* At the end, for a slow reader. */
#define LAST_MS 2000

static struct output out = {.fd = -1};
static bool live;
static unsigned long left_out;

static void finish(void)
{
    (void)output_close(&out, LAST_MS);
}

void say_open(void)
{
    if (output_take(&out, STDERR_FILENO, "standard error") == 0)
        (void)atexit(finish);
    live = screen_is_smart(STDERR_FILENO);
}

void say_raw(const char *text, size_t len)
{
    /* If nothing waits, one may be as long as a ledger of many vCPUs is. */
    if (out.used - out.start && out.used - out.start + len > WAITING) {
        left_out++;
        return;
    }
    output_bytes(&out, text, len);
    (void)output_push(&out);
}

void say(const char *format, ...)
{
    char text[LINE], line[VISIBLE_ROOM(LINE)];
    struct pen pen;
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
    pen = pen_at(&out, out.columns, 4);
    output_text(&out, "vmring-agent:");
    pen_piece(&pen);
    pen_words(&pen, visible(line, sizeof(line), text));
    pen_end(&pen);
    (void)output_push(&out);
}

void say_no_memory(const char *what)
{
    say("no memory for %s; raise the limit of it (ulimit -v), or ask for fewer "
        "bytes",
        what);
}

void say_buffer(struct output *text)
{
    output_buffer(text, &out);
}

bool say_is_terminal(void)
{
    return out.is_terminal;
}

bool say_is_live(void)
{
    return live;
}

void say_resized(void)
{
    output_resized(&out);
}

unsigned int say_columns(void)
{
    return output_columns(&out);
}

void say_push(void)
{
    (void)output_push(&out);
}
