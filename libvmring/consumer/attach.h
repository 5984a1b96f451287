/* SPDX-License-Identifier: MIT */
/*
 * attach.h: a consumer's way to a producer: connect.c by a URI, then attach.c,
 * or ask.c; refused.c if the way ends there.
 */
#ifndef VMRING_CONSUMER_ATTACH_H
#define VMRING_CONSUMER_ATTACH_H

#include "ring.h"

/* Everything that is passed around meanwhile. */
struct attach {
    const char *uri;
    struct vmring_opts opts;
    struct vmring *ring;
    bool asks; /* and does not attach */
    struct vmring_local_accept reply;
};

/* Evaluates to `err`, so that a reader or an analyser of the caller sees it. */
#define FAIL(attach, err, ...)                                                 \
    fail(err, (attach)->opts.error, (attach)->opts.error_len, __VA_ARGS__)

/* A link, by attach->uri. */
int attach_by_uri(struct attach *attach);
/* It fails before that; a descriptor is taken over even so.  Returns err. */
int attach_to_nothing(struct attach *attach, int err);

/* A ring that is connected, and nothing more.  If not, it is freed. */
int attach_connect(struct attach *attach, const struct vmring_opts *opts);

/* Proposes, and has the answer.  0 also if that is a refusal. */
int attach_exchange(struct attach *attach, struct link_regions *regions);

/* Why the producer refused, in the caller's terms. */
int attach_refused(struct attach *attach);

/* They are the ring's, which drops them as it closes. */
void attach_regions(struct vmring *ring, const struct link_regions *regions);

/*
 * A consumer of the ring's regions, whose geometry was accepted: all groups
 * are the ring's own.  -ENOMEM.
 */
int attach_set_up(struct vmring *ring, const struct vmr_geometry *geo);

#endif /* VMRING_CONSUMER_ATTACH_H */
