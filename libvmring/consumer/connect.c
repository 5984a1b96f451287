/* SPDX-License-Identifier: MIT */
/* connect.c: finds the producer that a URI names, before anything is proposed.
 */
#include <errno.h>
#include <string.h>

#include "../transport/scheme.h"
#include "attach.h"

int attach_by_uri(struct attach *attach)
{
    const struct connecting how = {
        .uri = attach->uri,
        .timeout_ms = attach->ring->timeout_ms,
        .patience = {attach->opts.interrupted, attach->opts.interrupted_ctx},
        .log = &attach->ring->log,
        .error = attach->opts.error,
        .error_len = attach->opts.error_len,
    };
    const char *where;
    const struct scheme *scheme = scheme_find(attach->uri, &where);

    if (!scheme)
        return FAIL(attach, -EINVAL,
                    "'%s' is no endpoint; say local:PATH, grant:DOMID/TARGET, "
                    "xen:DOMID or sim:vcpus=4",
                    attach->uri);
    return scheme->connect(&how, where, &attach->ring->link);
}

int attach_to_nothing(struct attach *attach, int err)
{
    const char *where;
    const struct scheme *scheme = scheme_find(attach->uri, &where);

    if (scheme && scheme->discard)
        scheme->discard(where);
    return FAIL(attach, err, "'%s': %s%s", attach->uri, strerror(-err),
                limit_remedy(err));
}
