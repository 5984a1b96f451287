/* SPDX-License-Identifier: MIT */
/* limits.h: what it was that grants failed at, in words. */
#ifndef VMRING_TRANSPORT_GRANT_LIMITS_H
#define VMRING_TRANSPORT_GRANT_LIMITS_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

struct xentoollog_logger;

/* Says nothing: the library never prints. */
extern struct xentoollog_logger grant_logger;

/* Where the limits of modules stand: /sys/module, but for tests. */
extern const char *grant_limits_modules;

/* Remembers the limit of sharing, for a process that will open no files. */
void grant_limits_note(void);

/* Each leaves a line in `error`. */
int grant_open_failed(int err, const char *device, char *error,
                      size_t error_len); /* -err, or -ENOENT */
/* `pages` more beside `shared` that this process has. */
void grant_explain_share(int err, size_t pages, size_t shared, char *error,
                         size_t error_len);
void grant_explain_map(int err, size_t pages, uint32_t domid, char *error,
                       size_t error_len);

/* What failed has not worked, even if its library forgot to say why. */
static inline int grant_errno(int otherwise)
{
    int err = errno;

    return err ? err : otherwise;
}

#endif /* VMRING_TRANSPORT_GRANT_LIMITS_H */
