/* SPDX-License-Identifier: MIT */
/* log.c: one line on standard error. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../libvmring/base/clock.h"
#include "../terminal/screen.h"
#include "../terminal/visible.h"
#include "../terminal/wrap.h"
#include "log.h"
#include "log_limit.h"
#include "outlet.h"

/* At the end somebody may still read: so long. */
#define LAST_LINES_MS 500

static int threshold = LOG_NOTICE;
static struct outlet *outlet;
static bool stalled; /* the outlet could not be emptied at the end */
static struct log_limit limit;

/* Lines that found no room in the queue. */
static unsigned long dropped;

/* Once: in the sandbox no terminal can be asked any more. */
static unsigned int columns(void)
{
    static unsigned int known;
    static bool asked;

    if (!asked)
        known = screen_columns(STDERR_FILENO);
    asked = true;
    return known;
}

int bridge_log_begin(void)
{
    (void)columns();
    outlet = outlet_open(STDERR_FILENO);
    return outlet ? 0 : -errno;
}

int bridge_log_by_hand(void)
{
    return isatty(STDERR_FILENO) ? LOG_NOTICE : LOG_INFO;
}

void bridge_log_threshold(int level)
{
    threshold = level;
}

static bool shows(int level)
{
    return level <= threshold;
}

/* A line or none of it. */
static bool put(const char *text, size_t len)
{
    if (outlet)
        return outlet_put(outlet, text, len) == 0;
    return !stalled && write(STDERR_FILENO, text, len) == (ssize_t)len;
}

static bool put_line(const char *text)
{
    char words[sizeof("vmring-bridge: ") + VISIBLE_ROOM(512)] =
        "vmring-bridge: ";
    char line[WRAP_ROOM(sizeof(words)) + 1];
    size_t len = strlen(words);

    /* A peer's words, or a guest's name, may be among them. */
    visible(words + len, sizeof(words) - len, text);
    len = wrap(line, sizeof(line) - 1, words, columns());
    line[len++] = '\n';
    return put(line, len);
}

static void say_what_was_not(int64_t now, bool all)
{
    const char *like;
    char text[128];
    unsigned long nr;

    if (dropped) {
        snprintf(text, sizeof(text), "%lu lines were not read", dropped);
        if (put_line(text))
            dropped = 0;
    }
    while ((nr = log_limit_unsaid(&limit, now, all, &like)) > 0) {
        snprintf(text, sizeof(text),
                 "%lu more lines like '%s...' were not said", nr, like);
        if (!put_line(text))
            dropped++;
    }
}

static void say(int level, uint64_t kind, const char *text)
{
    int64_t now = clock_ms() / 1000;

    say_what_was_not(now, false);
    if (level < LOG_DEBUG && !log_limit_allows(&limit, kind, text, now))
        return;
    if (!put_line(text))
        dropped++;
}

void bridge_log(int level, const char *format, ...)
{
    int saved = errno;
    char text[512];
    va_list args;

    if (!shows(level))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    say(level, log_kind_of(format), text);
    errno = saved;
}

void bridge_log_plain(const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (!put(text, strlen(text)))
        dropped++;
}

void bridge_log_text(void *ctx, int level, const char *text)
{
    int saved = errno;

    (void)ctx;
    if (shows(level))
        say(level, log_kind_of(text), text);
    errno = saved;
}

void bridge_log_end(void)
{
    if (!outlet)
        return;
    say_what_was_not(0, true);
    stalled = outlet_close(outlet, LAST_LINES_MS) == -ETIMEDOUT;
    outlet = NULL;
}
