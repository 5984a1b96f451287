/* SPDX-License-Identifier: MIT */
/* attach.c: a consumer attaches to an endpoint and detaches from it. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../base/line.h"
#include "../base/options.h"
#include "../base/watch.h"
#include "attach.h"
#include "groups.h"

#define DEFAULT_TIMEOUT_MS 10000

/* Every minor of our major: what a later one has, we pass over. */
#define VERSION_MIN ((uint32_t)XEN_VM_RING_VERSION_MAJOR << 16)

static int propose(struct attach *attach)
{
    const struct vmring_opts *opts = &attach->opts;
    struct xen_vm_ring_propose propose = {
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(propose),
        .version_min = VERSION_MIN,
        .version_max = XEN_VM_RING_VERSION,
        .features_wanted = XEN_VM_RING_FEATURES,
        .features_required = attach->asks ? XEN_VM_RING_FEATURE_ASK : 0,
        .async_len = opts->async_len,
        .deadline = opts->deadline_ns,
        .record_len = opts->record_len,
        .policy = opts->loss_policy,
        .nr_groups = opts->nr_groups ? opts->nr_groups : 1,
        .verdicts = opts->verdicts,
    };
    struct link *link = attach->ring->link;

    return link->ops->send(link, VMRING_LOCAL_PROPOSE, &propose,
                           sizeof(propose));
}

/* Is what was accepted what was asked for? */
static bool is_as_asked(const struct attach *attach)
{
    const struct xen_vm_ring_accept *accept = &attach->reply.body;
    const struct vmring_opts *opts = &attach->opts;

    return accept->version >= VERSION_MIN &&
           accept->version <= XEN_VM_RING_VERSION &&
           !(accept->features & ~(uint64_t)XEN_VM_RING_FEATURES) &&
           !(accept->verdicts & ~opts->verdicts) &&
           accept->policy == opts->loss_policy &&
           (!opts->record_len || accept->record_len == opts->record_len) &&
           accept->nr_groups == (opts->nr_groups ? opts->nr_groups : 1);
}

/*
 * Does the header say what the answer says?  Whatever else a later minor has
 * put into both is passed over.
 */
static bool is_as_accepted(const struct xen_vm_ring_accept *accept,
                           const struct vmr_geometry *geo)
{
    return geo->minor == (accept->version & 0xffff) &&
           geo->features == accept->features && geo->epoch == accept->epoch &&
           geo->deadline == accept->deadline && geo->arch == accept->arch &&
           geo->nr_vcpus == accept->nr_vcpus &&
           geo->nr_groups == accept->nr_groups &&
           geo->loss_policy == accept->policy &&
           geo->verdicts == accept->verdicts &&
           geo->record_len == accept->record_len &&
           geo->nr_records * geo->nr_lanes * geo->record_len ==
               accept->async_len;
}

void attach_regions(struct vmring *ring, const struct link_regions *regions)
{
    ring->p = regions->p;
    ring->c = regions->c;
    memcpy(ring->before, regions->before, sizeof(ring->before));
    ring->nr_before = regions->nr_before;
}

int attach_set_up(struct vmring *ring, const struct vmr_geometry *geo)
{
    uint32_t nr = geo->nr_groups;

    ring->core_memory = calloc(1, vmr_consumer_size(geo));
    ring->handed = line_alloc(geo->nr_lanes * sizeof(*ring->handed));
    if (!ring->core_memory || !ring->handed)
        return -ENOMEM;
    vmr_consumer_init(&ring->core, geo, ring->core_memory, ring->p.at,
                      ring->c.at);
    groups_set(ring, &ring->own, nr < 64 ? (1ULL << nr) - 1 : UINT64_MAX);
    return 0;
}

static int set_up_core(struct attach *attach, struct link_regions *regions)
{
    struct vmring *ring = attach->ring;
    struct vmr_geometry geo;

    attach_regions(ring, regions);
    if (!vmr_geometry_read(&geo, ring->p.at, ring->p.len, ring->c.len) ||
        !is_as_asked(attach) || !is_as_accepted(&attach->reply.body, &geo))
        return FAIL(attach, -EPROTO, "the producer's ring is malformed");
    if (attach_set_up(ring, &geo))
        return FAIL(attach, -ENOMEM,
                    "no memory for %u vCPUs; raise the limit (ulimit -v)",
                    geo.nr_vcpus);
    memcpy(ring->target, attach->reply.target, sizeof(ring->target));
    ring->target[sizeof(ring->target) - 1] = '\0';
    ring->allowed_verdicts = attach->reply.body.allowed_verdicts;
    return 0;
}

/* A signal may have come just before it waits. */
static int map_in_time(struct attach *attach, struct link_regions *regions)
{
    struct vmring *ring = attach->ring;
    int left = ring->timeout_ms;

    for (;;) {
        int slice = left < LOOK_MS ? left : LOOK_MS;
        int err =
            ring->link->ops->map(ring->link, &attach->reply, regions, slice);

        left -= slice;
        if (err != -ETIMEDOUT || left <= 0)
            return err;
        if (consumer_is_interrupted(ring))
            return -EINTR;
    }
}

int attach_exchange(struct attach *attach, struct link_regions *regions)
{
    struct link *link = attach->ring->link;
    int err = propose(attach);

    /* A producer that refuses at the door has said so before it hung up. */
    if (err && err != -EPIPE && err != -ECONNRESET)
        return FAIL(attach, err, "'%s': %s", attach->uri, strerror(-err));
    err = map_in_time(attach, regions);
    if (err && consumer_is_interrupted(attach->ring))
        err = -EINTR;
    switch (err) {
    case 0:
        return 0;
    case -ETIMEDOUT:
        return FAIL(attach, err, "'%s' did not answer within %d ms",
                    attach->uri, attach->ring->timeout_ms);
    case -ECONNRESET:
        return FAIL(attach, err, "'%s' hung up; %s", attach->uri,
                    *link->error ? link->error : "see the producer's log");
    case -EPROTO:
        return FAIL(attach, err, "'%s' is no vm_ring producer", attach->uri);
    default:
        return FAIL(attach, err, "'%s': %s%s", attach->uri,
                    *link->error ? link->error : strerror(-err),
                    *link->error ? "" : limit_remedy(err));
    }
}

static int negotiate(struct attach *attach)
{
    struct link_regions regions;
    int err = attach_exchange(attach, &regions);

    if (err)
        return err;
    if (attach->reply.body.result != XEN_VM_RING_ACCEPTED)
        return attach_refused(attach);
    return set_up_core(attach, &regions);
}

static int set_up_poll(struct attach *attach)
{
    struct vmring *ring = attach->ring;
    int err = 0;

    ring->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (ring->epoll >= 0)
        ring->poke = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (ring->poke < 0)
        err = -errno;
    if (!err)
        err = watch_add(ring->epoll, ring->link->ops->fd(ring->link));
    if (!err)
        err = watch_add(ring->epoll, ring->poke);
    return err ? FAIL(attach, err, "cannot wait for '%s': %s%s", attach->uri,
                      strerror(-err), limit_remedy(err))
               : 0;
}

int attach_connect(struct attach *attach, const struct vmring_opts *opts)
{
    static const struct vmring_opts defaults = {.size = sizeof(defaults)};
    struct vmring *ring;
    int err = options_copy(&attach->opts, sizeof(attach->opts),
                           opts ? opts : &defaults);

    if (!err && attach->opts.timeout_ms < 0)
        err = -EINVAL;
    if (err)
        return attach_to_nothing(attach, err);
    attach->ring = ring = line_alloc(sizeof(*ring));
    if (!ring)
        return attach_to_nothing(attach, -ENOMEM);
    ring->owner = getpid();
    ring->log = (struct log){attach->opts.log, attach->opts.log_ctx};
    ring->timeout_ms =
        attach->opts.timeout_ms ? attach->opts.timeout_ms : DEFAULT_TIMEOUT_MS;
    ring->interrupted = attach->opts.interrupted;
    ring->interrupted_ctx = attach->opts.interrupted_ctx;
    ring->epoll = ring->poke = -1;
    ring->p = ring->c = REGION_NONE;
    err = attach_by_uri(attach);
    if (err)
        vmring_close(ring);
    else
        ring->link->timeout_ms = ring->timeout_ms;
    return err;
}

int vmring_open(const char *uri, const struct vmring_opts *opts,
                struct vmring **out)
{
    struct attach attach = {.uri = uri};
    int err = attach_connect(&attach, opts);

    if (err)
        return err;
    err = negotiate(&attach);
    if (!err)
        err = set_up_poll(&attach);
    if (err)
        vmring_close(attach.ring);
    else
        *out = attach.ring;
    return err;
}

static void publish_cursors(struct vmring *ring)
{
    for (uint32_t g = 0; g < ring->core.geo.nr_groups; g++)
        vmr_consumer_publish(&ring->core, g);
}

void vmring_close(struct vmring *ring)
{
    if (!ring || ring->owner != getpid())
        return;
    for (uint32_t g = 0; g < XEN_VM_RING_MAX_GROUPS; g++)
        vmring_worker_close(ring->workers[g]);
    if (ring->core_memory && ring->handed) {
        vmring_flush(ring);
        publish_cursors(ring);
        (void)ring->link->ops->send(ring->link, VMRING_LOCAL_DETACH, NULL, 0);
    }
    while (ring->before_at < ring->nr_before)
        region_drop(&ring->before[ring->before_at++]);
    region_drop(&ring->p);
    region_drop(&ring->c);
    if (ring->link)
        link_close(ring->link);
    if (ring->epoll >= 0)
        close(ring->epoll);
    if (ring->poke >= 0)
        close(ring->poke);
    free(ring->core_memory);
    free(ring->handed);
    free(ring);
}

int vmring_restrict(struct vmring *ring)
{
    struct link *link = ring->link;

    return link->ops->give_up ? link->ops->give_up(link) : 0;
}

int vmring_get_info(const struct vmring *ring, struct vmring_info *info)
{
    const struct vmr_geometry *geo = &ring->core.geo;
    struct vmring_info now = {
        .nr_vcpus = geo->nr_vcpus,
        .nr_lanes = geo->nr_lanes,
        .nr_groups = geo->nr_groups,
        .arch = geo->arch,
        .loss_policy = geo->loss_policy,
        .record_len = geo->record_len,
        .verdicts = geo->verdicts,
        .clock = geo->clock,
        .epoch = geo->epoch,
        .deadline_ns = geo->deadline,
        .async_len = geo->nr_records * geo->nr_lanes * geo->record_len,
        .slots_per_lane = geo->nr_records,
        .p_len = geo->p_len,
        .c_len = geo->c_len,
        .features = geo->features,
        .target_id = geo->target_id,
        .source = geo->source,
        .version = (uint32_t)XEN_VM_RING_VERSION_MAJOR << 16 | geo->minor,
        .allowed_verdicts = ring->allowed_verdicts,
    };

    memcpy(now.target, ring->target, sizeof(now.target));
    return options_fill(info, &now, sizeof(now));
}

int vmring_fd(const struct vmring *ring)
{
    return ring->epoll;
}
