/* SPDX-License-Identifier: MIT */
/* producer.c: a producer is opened and closed, and says how things stand. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../base/line.h"
#include "../base/options.h"
#include "../base/watch.h"
#include "events.h"
#include "frozen.h"
#include "serve.h"
#include "slices.h"

#define DEFAULT_DEADLINE  1000000000ULL
#define DEFAULT_MAX_ASYNC (64ULL << 20)

static int check_opts(struct vmring_producer_opts *opts)
{
    if (!opts->nr_vcpus || opts->nr_vcpus > XEN_VM_RING_MAX_VCPUS ||
        (opts->arch != XEN_VM_RING_ARCH_X86 &&
         opts->arch != XEN_VM_RING_ARCH_ARM) ||
        (opts->verdicts & ~XEN_VM_RING_VERDICTS) ||
        opts->on_deadline > VMRING_DEADLINE_PAUSE ||
        opts->source > XEN_VM_RING_SOURCE_SIMULATED ||
        opts->max_async_len > XEN_VM_RING_MAX_ASYNC)
        return -EINVAL;
    if (!opts->deadline_ns)
        opts->deadline_ns = DEFAULT_DEADLINE;
    if (!opts->max_async_len)
        opts->max_async_len = DEFAULT_MAX_ASYNC;
    if (!opts->reasons)
        opts->reasons = UINT32_MAX;
    return 0;
}

static int allocate(struct vmring_producer *producer)
{
    size_t rows = (size_t)producer->nr_lanes * XEN_VM_RING_NR_REASONS;

    producer->core_memory =
        calloc(1, vmr_producer_size(producer->nr_vcpus, producer->nr_lanes));
    producer->tallies = calloc(rows, sizeof(*producer->tallies));
    producer->base = calloc(rows, sizeof(*producer->base));
    if (!producer->core_memory || !producer->tallies || !producer->base)
        return -ENOMEM;
    if (frozen_open(producer))
        return -ENOMEM;
    producer->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (producer->epoll < 0)
        return -errno;
    producer->again = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (producer->again < 0)
        return -errno;
    return watch_add(producer->epoll, producer->again);
}

int vmring_producer_open(const struct vmring_producer_opts *their_opts,
                         struct vmring_producer **out)
{
    struct vmring_producer_opts opts;
    struct vmring_producer *producer;
    int err = options_copy(&opts, sizeof(opts), their_opts);

    if (!err)
        err = check_opts(&opts);
    if (err)
        return err;
    producer = line_alloc(sizeof(*producer));
    if (!producer)
        return -ENOMEM;
    producer->owner = getpid();
    producer->epoll = producer->again = -1;
    producer->p = producer->session.c = REGION_NONE;
    producer->log = (struct log){opts.log, opts.log_ctx};
    producer->ops_ctx = opts.ops_ctx;
    producer->nr_vcpus = opts.nr_vcpus;
    producer->nr_lanes = opts.nr_vcpus + (opts.foreign ? 1 : 0);
    producer->arch = opts.arch;
    producer->verdicts = opts.verdicts;
    producer->reasons = opts.reasons;
    producer->source = opts.source;
    producer->target_id = opts.target_id;
    producer->deadline = producer->accepted_deadline = opts.deadline_ns;
    producer->max_async_len = opts.max_async_len;
    if (opts.target)
        strncpy(producer->target, opts.target, sizeof(producer->target) - 1);
    if (opts.ops)
        err = options_copy(&producer->ops_copy, sizeof(producer->ops_copy),
                           opts.ops);
    producer->ops = &producer->ops_copy;
    producer->reopen = (struct reopen){.open = producer->ops_copy.open_reading,
                                       .ctx = opts.ops_ctx,
                                       .log = &producer->log};
    if (!err)
        err = allocate(producer);
    if (err) {
        vmring_producer_close(producer, NULL, NULL);
        return err;
    }
    vmr_producer_init(&producer->core, producer->core_memory,
                      producer->nr_vcpus, producer->nr_lanes);
    producer->core.pause_overdue = opts.on_deadline == VMRING_DEADLINE_PAUSE;
    *out = producer;
    return 0;
}

int vmring_producer_get_stats(const struct vmring_producer *producer,
                              struct vmring_producer_stats *stats)
{
    struct vmring_producer_stats now = producer->stats;

    now.epochs = producer->epoch;
    now.kept_bytes = producer->listener ? producer->listener->kept_bytes : 0;
    now.ignored += producer->core.ignored;
    now.lane_faults = producer->core.lane_faults;
    return options_fill(stats, &now, sizeof(now));
}

int vmring_producer_counts(const struct vmring_producer *producer,
                           struct vmring_count **counts)
{
    uint32_t all = producer->nr_lanes * XEN_VM_RING_NR_REASONS;
    struct vmring_count *rows = calloc(all, sizeof(*rows));
    int nr = 0;

    if (!rows)
        return -ENOMEM;
    for (uint32_t i = 0; i < all; i++) {
        const struct tally *tally = &producer->tallies[i];

        if (!tally->requests && !tally->records && !tally->discarded)
            continue;
        rows[nr++] = (struct vmring_count){
            .vcpu = i / XEN_VM_RING_NR_REASONS,
            .reason = (uint16_t)(i % XEN_VM_RING_NR_REASONS),
            .requests = tally->requests,
            .answered = tally->answered,
            .defaulted = tally->defaulted,
            .records = tally->records,
            .discarded = tally->discarded,
        };
    }
    *counts = rows;
    return nr;
}

/* What has been published, a consumer that has not detached takes yet. */
static void may_be_read_on(struct vmring_producer *producer)
{
    if (producer->session.clean)
        return;
    region_leave(&producer->p);
    for (unsigned int i = 0; i < producer->frozen.nr; i++)
        region_leave(&producer->frozen.p[i]);
}

void vmring_producer_close(struct vmring_producer *producer,
                           void (*drain)(void *ctx,
                                         const struct vmring_verdict *verdict),
                           void *ctx)
{
    if (!producer || producer->owner != getpid())
        return;
    if (producer->core.slots) {
        vmring_producer_flush(producer);
        vmr_producer_set_state(&producer->core, XEN_VM_RING_PRODUCER_CLOSED);
        events_ring(producer, vmr_producer_wake(&producer->core));
        events_drain(producer, drain, ctx);
    }
    may_be_read_on(producer);
    serve_close(producer);
    region_drop(&producer->p);
    frozen_close(producer);
    slices_close(producer);
    if (producer->again >= 0)
        close(producer->again);
    if (producer->epoll >= 0)
        close(producer->epoll);
    free(producer->overflow);
    free(producer->core_memory);
    free(producer->tallies);
    free(producer->base);
    free(producer);
}
