/* SPDX-License-Identifier: MIT */
/*
 * Description: what is accepted is what this producer can give: its lanes, its
 * deadlines, its smallest and largest ring; and nothing when it has no target.
 */
#include "pair.h"

#include <errno.h>

#include "producer/handle.h"

static struct pair pair;
static int told;

static void attached(void *ctx, bool is_attached, uint32_t verdicts)
{
    (void)ctx;
    told = is_attached ? (int)verdicts : -1;
}

static const struct vmring_producer_ops ops = {.size = sizeof(ops),
                                               .attached = attached};

static struct vmring_info accepted(const struct vmring_producer_opts *opts,
                                   const struct vmring_opts *ours)
{
    struct vmring_info info = {.size = sizeof(info)};

    pair_make(&pair, opts);
    pair_attach(&pair, ours);
    CHECK_EQ(vmring_get_info(pair.ring, &info), 0);
    return info;
}

static void deadlines(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct vmring_opts ours = {.size = sizeof(ours)};
    struct vmring_info info;

    opts.deadline_ns = 5000;
    info = accepted(&opts, NULL);
    CHECK_EQ(info.deadline_ns, 5000);
    pair_end(&pair);
    ours.deadline_ns = 4000;
    info = accepted(&opts, &ours);
    CHECK_EQ(info.deadline_ns, 4000);
    pair_end(&pair);
    opts.deadline_ns = UINT64_MAX; /* none, unless it is asked for */
    info = accepted(&opts, NULL);
    CHECK_EQ(info.deadline_ns, 0);
    pair_end(&pair);
    info = accepted(&opts, &ours);
    CHECK_EQ(info.deadline_ns, 4000);
    pair_end(&pair);
}

static void lanes(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct xen_vm_ring_event event =
        pair_event(XEN_VM_RING_REASON_INTERRUPT, 0);
    struct vmring_event got;
    struct vmring_info info;

    opts.foreign = true;
    opts.max_async_len = 1; /* less than the minimum: that is what it gets */
    info = accepted(&opts, NULL);
    CHECK_EQ(info.nr_lanes, 3);
    CHECK_EQ(info.slots_per_lane, XEN_VM_RING_MIN_SLOTS);
    /* Of no vCPU: the number in it is left alone. */
    event.vcpu = 77;
    CHECK_EQ(vmring_producer_push(pair.producer, 2, &event), 1);
    vmring_producer_flush(pair.producer);
    CHECK_EQ(vmring_next(pair.ring, &got), 1);
    CHECK_EQ(got.lane, 2);
    CHECK_EQ(got.rec.vcpu, 77);
    CHECK_EQ(got.rec.flags, XEN_VM_RING_FLAG_FOREIGN);
    /* Also by way of the next consumer. */
    CHECK_EQ(vmring_producer_push(pair.producer, 2, &event), 1);
    vmring_close(pair.ring);
    pair_serve();
    pair_serve();
    pair_attach(&pair, NULL);
    CHECK_EQ(vmring_next(pair.ring, &got), 1);
    CHECK_EQ(got.epoch_mark, 1);
    CHECK_EQ(got.lane, 2);
    CHECK_EQ(got.rec.vcpu, 77);
    pair_end(&pair);
}

/* Nobody minds the size: what the lanes need at least is more than usual. */
static void sizes(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct vmring_info info;

    info = accepted(&opts, NULL);
    CHECK(info.slots_per_lane > XEN_VM_RING_MIN_SLOTS);
    CHECK(info.async_len <= 65536);
    pair_end(&pair);
    opts.nr_vcpus = 100;
    info = accepted(&opts, NULL);
    CHECK_EQ(info.slots_per_lane, XEN_VM_RING_MIN_SLOTS);
    CHECK(info.async_len > 65536);
    pair_end(&pair);
}

/* A reason that is newer than this consumer is counted as unknown. */
static void reasons(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct xen_vm_ring_event event = pair_event(XEN_VM_RING_NR_REASONS + 3, 1);
    struct vmring_event got;
    struct vmring_count *rows;

    (void)accepted(&opts, NULL);
    CHECK(vmr_producer_push(&pair.producer->core, 1, &event));
    vmring_producer_flush(pair.producer);
    CHECK_EQ(vmring_next(pair.ring, &got), 1);
    CHECK_EQ(got.rec.reason, XEN_VM_RING_NR_REASONS + 3);
    CHECK_EQ(vmring_counts(pair.ring, &rows), 1);
    CHECK_EQ(rows[0].reason, XEN_VM_RING_REASON_UNKNOWN);
    CHECK_EQ(rows[0].records_taken, 1);
    free(rows);
    pair_end(&pair);
}

static void refuses(const struct vmring_opts *ours, int err)
{
    struct vmring *ring;
    char uri[32];

    snprintf(uri, sizeof(uri), "fd:%d", pair_connect(&pair));
    CHECK_EQ(vmring_open(uri, ours, &ring), err);
}

static void occasions(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct vmring_opts ours = {.size = sizeof(ours),
                               .verdicts = XEN_VM_RING_VERDICT_DENY};
    unsigned int reason;

    opts.ops = &ops;
    (void)accepted(&opts, &ours);
    CHECK_EQ(told, XEN_VM_RING_VERDICT_DENY);
    vmring_producer_set_target_state(pair.producer, XEN_VM_RING_TARGET_PAUSED,
                                     3);
    CHECK_EQ(vmring_target_state(pair.ring, &reason),
             XEN_VM_RING_TARGET_PAUSED);
    CHECK_EQ(reason, 0); /* it has not shut down */
    vmring_producer_set_target_state(pair.producer, 1000,
                                     0); /* of a later version */
    CHECK_EQ(vmring_target_state(pair.ring, NULL),
             XEN_VM_RING_TARGET_DESTROYED);
    vmring_producer_release(
        pair.producer); /* nothing, while somebody is there */
    refuses(&ours, -EBUSY);
    vmring_close(pair.ring);
    pair.ring = NULL;
    pair_serve();
    CHECK_EQ(told, -1);
    vmring_producer_set_target_state(pair.producer,
                                     XEN_VM_RING_TARGET_DESTROYED, 0);
    refuses(&ours, -ESRCH);
    pair_end(&pair);
}

int main(void)
{
    deadlines();
    lanes();
    sizes();
    reasons();
    occasions();
    return 0;
}
