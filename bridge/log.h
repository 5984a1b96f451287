/* SPDX-License-Identifier: MIT */
/* log.h: one line on standard error, "vmring-bridge: cause; remedy". */
#ifndef BRIDGE_LOG_H
#define BRIDGE_LOG_H

#include <syslog.h>

/*
 * From now on no line waits for whoever reads it: a thread writes them.  Lines
 * that find its queue full are dropped, and counted.  Returns 0 or -errno.
 */
int log_begin(void);

/* Waits, a bounded time, until all is written; then as before log_begin(). */
void log_end(void);

/* Lines above this level of syslog(3) are not shown; LOG_NOTICE at first. */
void log_threshold(int level);
int log_shows(int level);

/*
 * What a peer could write to a terminal with is made visible.  Lines of one
 * format are limited (log_limit.h), but for LOG_DEBUG.
 */
void log_line(int level, const char *format, ...)
    __attribute__((__format__(printf, 2, 3)));

/* As it is, without a name before it, and without a limit. */
void log_plain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A vmring_log_fn. */
void log_text(void *ctx, int level, const char *text);

#endif /* BRIDGE_LOG_H */
