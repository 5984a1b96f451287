/* SPDX-License-Identifier: MIT */
/*
 * limits.c: the kernel's errors for grants do not say which limit was
 * met; the parameters of its modules do.
 */
#include "limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xentoollog.h>

#include "../../base/log.h"

const char *grant_limits_modules = "/sys/module";

static void say_nothing(struct xentoollog_logger *logger,
                        xentoollog_level level, int err, const char *context,
                        const char *format, va_list args)
{
    (void)logger;
    (void)level;
    (void)err;
    (void)context;
    (void)format;
    (void)args;
}

static void show_nothing(struct xentoollog_logger *logger, const char *context,
                         const char *doing, int percent, unsigned long done,
                         unsigned long total)
{
    (void)logger;
    (void)context;
    (void)doing;
    (void)percent;
    (void)done;
    (void)total;
}

static void keep(struct xentoollog_logger *logger)
{
    (void)logger;
}

struct xentoollog_logger grant_logger = {
    .vmessage = say_nothing,
    .progress = show_nothing,
    .destroy = keep,
};

/* -1: unknown, as where the driver is none or is built in. */
static long long limit_of(const char *module)
{
    char path[256], text[32], *end;
    long long limit;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s/parameters/limit", grant_limits_modules,
             module);
    file = fopen(path, "re");
    if (!file)
        return -1;
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    limit = strtoll(text, &end, 10);
    return end == text ? -1 : limit;
}

/* As it was when files could be opened, if they cannot be any more. */
static long long share_limit = -1;

static long long limit_of_sharing(void)
{
    long long limit = limit_of("xen_gntalloc");

    return limit >= 0 ? limit : share_limit;
}

void grant_limits_note(void)
{
    share_limit = limit_of_sharing();
}

int grant_open_failed(int err, const char *device, char *error,
                      size_t error_len)
{
    if (err == ENOENT || err == ENODEV || err == ENXIO)
        return fail(-ENOENT, error, error_len,
                    "there is no /dev/xen/%s; load the module xen-%s, or this "
                    "is no domain of Xen",
                    device, device);
    return fail(-err, error, error_len, "cannot open /dev/xen/%s: %s", device,
                strerror(err));
}

void grant_explain_share(int err, size_t pages, size_t shared, char *error,
                         size_t error_len)
{
    long long limit = limit_of_sharing();

    /* gntalloc has one errno for its own limit and for a full grant table. */
    if (err != ENOSPC)
        explain(error, error_len, "cannot share %zu pages: %s", pages,
                strerror(err));
    else if (limit >= 0 && (unsigned long long)limit < pages + shared)
        explain(error, error_len,
                "cannot share %zu pages, with %zu shared: gntalloc's limit "
                "is %lld; write more to "
                "%s/xen_gntalloc/parameters/limit",
                pages, shared, limit, grant_limits_modules);
    else
        explain(error, error_len,
                "cannot share %zu pages: this domain's grant table is full "
                "(gnttab_max_frames= of Xen's command line, max_grant_frames= "
                "of xl.cfg), or other programs have what gntalloc's limit of "
                "%lld leaves",
                pages, limit);
}

void grant_explain_map(int err, size_t pages, uint32_t domid, char *error,
                       size_t error_len)
{
    long long limit = limit_of("xen_gntdev");

    if (err == EINVAL && limit >= 0 && (unsigned long long)limit < pages)
        explain(error, error_len,
                "cannot map %zu pages of domain %u: gntdev's limit is "
                "%lld at once; write more to "
                "%s/xen_gntdev/parameters/limit",
                pages, domid, limit, grant_limits_modules);
    else if (err == EINVAL)
        explain(error, error_len,
                "Xen refuses to map %zu pages of domain %u: they are not "
                "granted to this one any more, or this one has no room to "
                "keep track of them (max_maptrack_frames= of xl.cfg)",
                pages, domid);
    else if (err == ENOMEM)
        explain(error, error_len,
                "no memory to map %zu pages of domain %u: this domain "
                "needs room for them",
                pages, domid);
    else
        explain(error, error_len, "cannot map %zu pages of domain %u: %s",
                pages, domid, strerror(err));
}
