/* SPDX-License-Identifier: MIT */
/* ask.c: what a producer would offer, asked without attaching. */
#include <errno.h>
#include <string.h>

#include "../base/options.h"
#include "attach.h"

/* What a proposal like this would have come to. */
static int would_come_to(struct attach *attach)
{
    switch (attach->reply.body.result) {
    case XEN_VM_RING_REFUSED_ASKED:
        return 0;
    case XEN_VM_RING_REFUSED_FEATURE:
        /* We require nothing else: it does not know the question. */
        return 1;
    default:
        return attach_refused(attach);
    }
}

int vmring_ask(const char *uri, const struct vmring_opts *opts,
               struct vmring_limits *limits)
{
    struct attach attach = {.uri = uri, .asks = true};
    const struct xen_vm_ring_accept *g = &attach.reply.body;
    struct link_regions regions;
    struct vmring_limits now;
    int err = attach_connect(&attach, opts);

    if (err)
        return err;
    err = attach_exchange(&attach, &regions);
    if (!err && g->result == XEN_VM_RING_ACCEPTED) {
        attach_regions(attach.ring, &regions);
        err = FAIL(&attach, -EPROTO, "'%s' was only asked, and has accepted",
                   uri);
    }
    if (!err && g->result == XEN_VM_RING_REFUSED_PERMISSION)
        err = attach_refused(&attach);
    if (!err) {
        now = (struct vmring_limits){
            .would = would_come_to(&attach),
            .version = g->version,
            .features = g->features,
            .nr_vcpus = g->nr_vcpus,
            .arch = g->arch,
            .max_groups = g->max_groups,
            .verdicts = g->allowed_verdicts,
            .min_async_len = g->min_async_len,
            .max_async_len = g->max_async_len,
            .max_deadline_ns = g->max_deadline,
        };
        memcpy(now.target, attach.reply.target, sizeof(now.target));
        now.target[sizeof(now.target) - 1] = '\0';
        err = options_fill(limits, &now, sizeof(now));
    }
    vmring_close(attach.ring);
    return err;
}
