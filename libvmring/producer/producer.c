/* SPDX-License-Identifier: MIT */
/* producer.c: events in, verdicts out. */
#include "producer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/options.h"
#include "../base/watch.h"

#define DEFAULT_DEADLINE  1000000000ULL
#define DEFAULT_MAX_ASYNC (64ULL << 20)

/* Flags of an event that the ring sets, and not its source. */
#define OURS (XEN_VM_RING_FLAG_REPOSTED | XEN_VM_RING_FLAG_REGS_CUT)

/* Tries to arm for answers while a consumer sets hints for nothing. */
#define MAX_ARMINGS 8

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
    producer = calloc(1, sizeof(*producer));
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

static bool is_event(const struct vmring_producer *producer, uint32_t lane,
                     const struct xen_vm_ring_event *event)
{
    return lane < producer->nr_lanes &&
           event->reason < XEN_VM_RING_NR_REASONS &&
           (event->length == XEN_VM_RING_EVENT_HEAD ||
            event->length == XEN_VM_RING_EVENT_FULL);
}

/* A verdict that the ring cannot hold the request of. */
static int queue_overflow(struct vmring_producer *producer,
                          const struct vmr_request *request)
{
    struct vmring_verdict *verdict;

    if (producer->first_overflow &&
        producer->first_overflow >= producer->nr_overflow) {
        /* Each is moved once for one that was taken before it. */
        memcpy(producer->overflow,
               producer->overflow + producer->first_overflow,
               producer->nr_overflow * sizeof(*producer->overflow));
        producer->first_overflow = 0;
    }
    if (producer->first_overflow + producer->nr_overflow ==
        producer->max_overflow) {
        size_t max = producer->max_overflow ? 2 * producer->max_overflow : 8;
        void *more =
            realloc(producer->overflow, max * sizeof(*producer->overflow));

        if (!more)
            return -ENOMEM;
        producer->overflow = more;
        producer->max_overflow = max;
    }
    verdict =
        &producer->overflow[producer->first_overflow + producer->nr_overflow++];
    *verdict = (struct vmring_verdict){
        .event = request->event,
        .cookie = request->cookie,
        .by = VMRING_BY_OVERFLOW,
    };
    verdict->response.reason = request->event.reason;
    verdict->response.altp2m_idx = request->event.altp2m_idx;
    return 0;
}

/* Beyond the end of time there is none. */
static uint64_t deadline_of(uint64_t time, uint64_t within)
{
    return within > VMR_NO_DEADLINE - time ? VMR_NO_DEADLINE : time + within;
}

int vmring_producer_post(struct vmring_producer *producer,
                         const struct xen_vm_ring_event *event, uint64_t cookie)
{
    struct vmr_request request = {.event = *event, .cookie = cookie};
    int err = 0;

    if (event->vcpu >= producer->nr_vcpus ||
        !is_event(producer, event->vcpu, event))
        return -EINVAL;
    request.event.time = clock_ns();
    request.event.lost = 0;
    request.event.flags &= ~OURS;
    request.deadline =
        deadline_of(request.event.time, producer->accepted_deadline);
    if (!vmr_producer_post(&producer->core, &request))
        err = queue_overflow(producer, &request);
    if (err)
        return err;
    tally_of(producer, event->vcpu, event->reason)->requests++;
    producer->stats.requests++;
    producer->nr_pending++;
    return 0;
}

int vmring_producer_push(struct vmring_producer *producer, unsigned int lane,
                         const struct xen_vm_ring_event *event)
{
    struct xen_vm_ring_event record;
    struct tally *tally;

    if (!is_event(producer, lane, event))
        return -EINVAL;
    if (event->length == XEN_VM_RING_EVENT_FULL)
        record = *event;
    else
        memcpy(&record, event, XEN_VM_RING_EVENT_HEAD);
    record.time = clock_ns();
    record.flags &= ~OURS;
    if (lane == producer->nr_vcpus)
        record.flags |= XEN_VM_RING_FLAG_FOREIGN;
    tally = tally_of(producer, lane, event->reason);
    tally->records++;
    producer->stats.records++;
    if (vmr_producer_push(&producer->core, lane, &record))
        return 1;
    tally->discarded++;
    producer->stats.discarded++;
    return 0;
}

static void ring(struct vmring_producer *producer, uint64_t groups)
{
    struct peer *peer = producer->session.peer;

    for (; groups && peer; groups &= groups - 1)
        if (peer->ops->kick(peer, (uint32_t)__builtin_ctzll(groups)))
            producer->stats.doorbells_sent++;
}

void vmring_producer_flush(struct vmring_producer *producer)
{
    ring(producer, vmr_producer_flush(&producer->core));
}

static void account(struct vmring_producer *producer,
                    const struct vmring_verdict *verdict)
{
    struct tally *tally =
        tally_of(producer, verdict->event.vcpu, verdict->event.reason);

    switch (verdict->by) {
    case VMRING_OVERDUE:
        return;
    case VMRING_BY_CONSUMER:
        producer->stats.answered++;
        tally->answered++;
        if (producer->session.peer)
            budget_earn(&producer->session.peer->rung);
        break;
    case VMRING_BY_DEADLINE:
        producer->stats.by_deadline++;
        tally->defaulted++;
        break;
    case VMRING_BY_DETACH:
        producer->stats.by_detach++;
        tally->defaulted++;
        break;
    case VMRING_BY_OVERFLOW:
        producer->stats.by_overflow++;
        tally->defaulted++;
        break;
    }
    producer->nr_pending--;
}

static bool collect_one(struct vmring_producer *producer,
                        struct vmring_verdict *verdict)
{
    struct vmr_verdict from;

    if (producer->nr_overflow) {
        *verdict = producer->overflow[producer->first_overflow++];
        if (!--producer->nr_overflow)
            producer->first_overflow = 0;
        account(producer, verdict);
        return true;
    }
    if (!vmr_producer_collect(&producer->core, clock_ns(), &from))
        return false;
    verdict->event = from.request.event;
    verdict->response = from.response;
    verdict->cookie = from.request.cookie;
    verdict->by = from.by;
    verdict->was_overdue = from.request.overdue && from.by != VMR_OVERDUE;
    account(producer, verdict);
    return true;
}

int vmring_producer_collect(struct vmring_producer *producer,
                            struct vmring_verdict *verdict)
{
    if (collect_one(producer, verdict))
        return 1;
    /* What waited behind a verdict has been posted. */
    vmring_producer_flush(producer);
    if (producer->session.leaving && !producer->core.attached) {
        serve_forget_session(producer);
        if (collect_one(producer, verdict))
            return 1;
    }
    /* If it did not reach the consumer, its next message shows. */
    (void)control_say_subscribed(producer);
    (void)control_say_counts(producer);
    serve_go_on(producer);
    control_say_quiet(producer);
    /*
     * What arming finds may be no answer at all, and it has disarmed then: so
     * again, a bounded number of times, or come back at once.
     */
    producer->unarmed = false;
    for (int i = 0; i < MAX_ARMINGS; i++) {
        if (vmr_producer_arm(&producer->core))
            return 0;
        if (collect_one(producer, verdict))
            return 1;
    }
    producer->unarmed = true;
    return 0;
}

int vmring_producer_timeout(const struct vmring_producer *producer)
{
    uint64_t deadline = producer->core.next_deadline;
    uint64_t now, ms;

    if (producer->nr_overflow || producer->core.sweeping || producer->unarmed ||
        serve_is_over(producer))
        return 0;
    if (!producer->nr_pending || deadline == VMR_NO_DEADLINE)
        return -1;
    now = clock_ns();
    if (deadline <= now)
        return 0;
    ms = (deadline - now + 999999) / 1000000;
    return ms > 3600000 ? 3600000 : (int)ms;
}

void vmring_producer_release(struct vmring_producer *producer)
{
    if (!producer->session.peer)
        vmr_producer_release(&producer->core);
}

unsigned int vmring_producer_pending(const struct vmring_producer *producer)
{
    return producer->nr_pending;
}

void vmring_producer_set_target_state(struct vmring_producer *producer,
                                      unsigned int state, unsigned int reason)
{
    producer->target_state = state;
    producer->target_reason = reason;
    vmr_producer_set_target(&producer->core, state, reason);
    vmring_producer_flush(producer);
    ring(producer, vmr_producer_wake(&producer->core));
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

/* Every request gets its verdict, though nobody may be there to see it. */
static void drain_all(struct vmring_producer *producer,
                      void (*drain)(void *ctx,
                                    const struct vmring_verdict *verdict),
                      void *ctx)
{
    struct vmring_verdict verdict;

    vmr_producer_sweep(&producer->core);
    vmr_producer_release(&producer->core);
    /* Each request gives one; the first pass may end with the sweep. */
    while (producer->nr_pending || producer->core.sweeping)
        if (collect_one(producer, &verdict) && drain)
            drain(ctx, &verdict);
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
        ring(producer, vmr_producer_wake(&producer->core));
        drain_all(producer, drain, ctx);
    }
    may_be_read_on(producer);
    serve_close(producer);
    region_drop(&producer->p);
    frozen_close(producer);
    epoch_close(producer);
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
