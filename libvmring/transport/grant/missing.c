/* SPDX-License-Identifier: MIT */
/*
 * missing.c: grant:DOMID/TARGET in a library that was built without it, in
 * place of all other files of this folder: it says so.
 */
#include <errno.h>

#include "../scheme.h"

#define WHY "built without libxengnttab, libxenevtchn and libxenstore"

static int missing_connect(const struct connecting *how, const char *where,
                           struct link **link)
{
    (void)where;
    (void)link;
    return fail(-EOPNOTSUPP, how->error, how->error_len, "'%s': " WHY,
                how->uri);
}

static int missing_listen(const struct listening *how, const char *where,
                          struct listener **listener)
{
    if (*listener)
        return -EINVAL;
    log_to(how->log, LOG_ERR, "cannot serve grant:%s: " WHY, where);
    return -EOPNOTSUPP;
}

static const struct scheme missing_scheme = {
    .name = "grant:",
    .connect = missing_connect,
    .listen = missing_listen,
};

SCHEME_REGISTER(grant, &missing_scheme);
