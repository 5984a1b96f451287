/* SPDX-License-Identifier: MIT */
/* log.h: one line on standard error, "vmring-bridge: cause; remedy". */
#ifndef BRIDGE_LOG_H
#define BRIDGE_LOG_H

#include <syslog.h>

/* Lines above this level of syslog(3) are not shown; LOG_NOTICE at first. */
void log_threshold(int level);
int log_shows(int level);

void log_line(int level, const char *format, ...)
    __attribute__((__format__(printf, 2, 3)));

/* As it is, without a name before it; dropped if nobody reads. */
void log_plain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A vmring_log_fn. */
void log_text(void *ctx, int level, const char *text);

#endif /* BRIDGE_LOG_H */
