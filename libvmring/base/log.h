/* SPDX-License-Identifier: MIT */
/* log.h: lines for the log, and the line that says why a call failed. */
#ifndef VMRING_BASE_LOG_H
#define VMRING_BASE_LOG_H

#include <stddef.h>
#include <syslog.h> /* levels of a log */

#include "../vmring.h"

struct log {
    vmring_log_fn *fn; /* NULL: nobody listens */
    void *ctx;
};

void log_to(const struct log *log, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes one line into error, which may be NULL. */
void explain(char *error, size_t error_len, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What to do about a limit of this process; or "". */
const char *limit_remedy(int err);

/*
 * Writes that line, and is `err`.  A macro, so that an analyser of the
 * caller sees that this is not 0.
 */
#define fail(err, ...)                                                         \
    ({                                                                         \
        const int fail_err __attribute__((__unused__)) = (err);                \
                                                                               \
        explain(__VA_ARGS__);                                                  \
        fail_err;                                                              \
    })

#endif /* VMRING_BASE_LOG_H */
