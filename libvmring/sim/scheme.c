/* SPDX-License-Identifier: MIT */
/*
 * scheme.c: sim:KEY=VALUE,..., a link to a simulated guest of this process.
 * It ends with its link.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../transport/local/local.h"
#include "endpoint.h"

struct served {
    struct sim_endpoint *endpoint;
    const struct log *log;
};

/* The consumer's end is closed: the thread has nobody to serve. */
static void end(void *ctx)
{
    struct served *served = ctx;
    int err = sim_endpoint_stop(served->endpoint);

    if (err)
        log_to(served->log, LOG_ERR, "cannot write the file of truth=: %s",
               strerror(-err));
    free(served);
}

static int sim_connect(const struct connecting *how, const char *params,
                       struct link **link)
{
    struct served *served = calloc(1, sizeof(*served));
    int fd;
    int err = served ? sim_endpoint_start(params, &served->endpoint, &fd,
                                          how->error, how->error_len)
                     : fail(-ENOMEM, how->error, how->error_len, "no memory");

    if (err) {
        free(served);
        return err;
    }
    served->log = how->log;
    err = local_adopt(fd, link);
    if (err) {
        end(served);
        return fail(err, how->error, how->error_len, "simulator: %s%s",
                    strerror(-err), limit_remedy(err));
    }
    (*link)->ended = end;
    (*link)->ended_ctx = served;
    return 0;
}

static const struct scheme sim_scheme = {
    .name = "sim:",
    .connect = sim_connect,
};

SCHEME_REGISTER(sim, &sim_scheme);
