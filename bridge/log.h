/* SPDX-License-Identifier: MIT */
/* log.h: one line on standard error, "vmring-bridge: cause; remedy". */
#ifndef BRIDGE_LOG_H
#define BRIDGE_LOG_H

#include <syslog.h>

/*
 * From now on no call waits for the reader of the log: a thread writes lines.
 * Lines that find its queue full are dropped, and counted.  Returns 0 or
 * -errno.
 */
int bridge_log_begin(void);

/* Waits, a bounded time, until all is written; then as before
 * bridge_log_begin(). */
void bridge_log_end(void);

/* Lines above this level of syslog(3) are not shown; LOG_NOTICE at first. */
void bridge_log_threshold(int level);

/*
 * The level of what is for somebody who starts the bridge by hand: LOG_NOTICE
 * on a terminal, LOG_INFO in a log.
 */
int bridge_log_by_hand(void);

/*
 * A line of this level of syslog(3).  What a peer could write to a terminal
 * with is made visible.  Lines of one format are limited (log_limit.h), but for
 * LOG_DEBUG.
 */
void bridge_log(int level, const char *format, ...)
    __attribute__((__format__(printf, 2, 3)));

/* As it is, without a name before it, and without a limit. */
void bridge_log_plain(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* A vmring_log_fn. */
void bridge_log_text(void *ctx, int level, const char *text);

#endif /* BRIDGE_LOG_H */
