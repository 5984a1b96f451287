/* SPDX-License-Identifier: MIT */
/* options.h: structures that start with their size, logs, error lines. */
#ifndef VMRING_OPTIONS_H
#define VMRING_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <syslog.h> /* levels of a log */

#include "../vmring.h"

/*
 * Copies a caller's sized structure into ours of `size` bytes: what the
 * caller does not know is zero, what we do not know must be.  Both start with
 * a size_t.  -EINVAL: no size, or none that was set; -E2BIG: an unknown tail
 * that is not zero.
 */
int options_copy(void *ours, size_t size, const void *theirs);

/* The same, outwards: fills what the caller has room for. -EINVAL. */
int options_fill(void *theirs, const void *ours, size_t size);

struct log {
    vmring_log_fn *fn;
    void *ctx;
};

void log_line(const struct log *log, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes one line into error, which may be NULL. */
void explain(char *error, size_t error_len, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Does so, and is `err`.  A macro, so that whoever analyses a caller sees that
 * this is not 0.
 */
#define fail(err, ...)                                                         \
    ({                                                                         \
        const int fail_err __attribute__((__unused__)) = (err);                \
                                                                               \
        explain(__VA_ARGS__);                                                  \
        fail_err;                                                              \
    })

#endif /* VMRING_OPTIONS_H */
