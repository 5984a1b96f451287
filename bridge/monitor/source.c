/* SPDX-License-Identifier: MIT */
/* source.c: a domain as a source, for the bridge's loop and its producer. */
#include <errno.h>
#include <stdio.h>

#include "../domain.h"
#include "../exit_status.h"
#include "../log.h"
#include "end.h"
#include "entries.h"
#include "open.h"
#include "recover.h"
#include "support.h"

/* ------------------------------------------------ what the producer asks -- */

static void subscribe(void *ctx, const struct vmring_spec *specs,
                      unsigned int nr, int *results, char *error,
                      size_t error_len)
{
    struct monitor *monitor = ctx;

    subscription_begin(monitor->arming, specs, nr, results, error, error_len);
}

static uint64_t supported(void *ctx)
{
    const struct monitor *monitor = ctx;

    return support_kinds(&monitor->target);
}

static bool quiet(void *ctx)
{
    const struct monitor *monitor = ctx;

    return monitor->quiesce.state == QUIESCE_QUIET;
}

static void attached(void *ctx, bool is_attached, uint32_t verdicts)
{
    struct monitor *monitor = ctx;

    subscription_attached(monitor->arming, is_attached, verdicts);
}

static bool is_arming(void *ctx)
{
    const struct monitor *monitor = ctx;

    return monitor->arming->busy;
}

/* An end of ours; Xen unbinds it when the other domain goes or resets. */
static int channel_is_bound(void *ctx, uint32_t port)
{
    const struct monitor *monitor = ctx;
    xc_evtchn_status_t of = {.dom = DOMID_SELF, .port = port};

    if (xc_evtchn_status(monitor->target.xen.xch, &of) < 0)
        return -errno;
    return of.status == EVTCHNSTAT_interdomain;
}

static const struct vmring_producer_ops producer_ops = {
    .size = sizeof(producer_ops),
    .subscribe = subscribe,
    .supported = supported,
    .quiet = quiet,
    .attached = attached,
    .arming = is_arming,
    .channel_is_bound = channel_is_bound,
};

/* ------------------------------------------------- what the loop asks -- */

static void describe(void *source, struct source_info *info)
{
    struct monitor *monitor = source;

    snprintf(info->name, sizeof(info->name), "%s", monitor->target.name);
    snprintf(info->title, sizeof(info->title), "%s", monitor->target.title);
    snprintf(info->listen, sizeof(info->listen), "local:/run/vmring/dom%u.sock",
             monitor->target.domid);
    snprintf(info->tree, sizeof(info->tree), "%u", monitor->target.domid);
    info->nr_vcpus = monitor->target.nr_vcpus;
    info->arch = monitor->target.arch;
    info->verdicts = support_verdicts(&monitor->target);
    /* This Xen has no id for a domain that is not used again (4.21 has). */
    info->source = XEN_VM_RING_SOURCE_XEN;
    info->foreign = true;
    info->producer_ctx = monitor;
    info->fds[info->nr_fds++] = monitor->target.xen.epoll;
}

/* One that is suspended may go on; of any other there is nothing to see. */
static int check_it_runs(struct target *target)
{
    target_look(target);
    if (target->state != XEN_VM_RING_TARGET_SHUTDOWN ||
        target_is_suspended(target))
        return 0;
    bridge_log(LOG_ERR, "%s has %s; nothing is left to watch", target->name,
               domain_shutdown_name(target->shutdown_reason));
    return EXIT_TARGET_ENDED;
}

static int open_source(struct source_start *start, void **source)
{
    struct monitor *monitor;
    int status = monitor_open(start, &monitor);

    if (status)
        return status;
    status = check_it_runs(&monitor->target);
    if (!status)
        status = handles_watch(&monitor->target.xen);
    if (!status)
        status = ring_enable(&monitor->ring);
    if (status) {
        (void)monitor_close(monitor);
        return status;
    }
    *source = monitor;
    return 0;
}

static void serves(void *source, const char *uri)
{
    struct monitor *monitor = source;

    lock_serves(&monitor->lock, uri);
}

static void start(void *source, struct vmring_producer *producer)
{
    struct monitor *monitor = source;

    monitor->producer = producer;
}

static int run(void *source)
{
    return entries_run(source);
}

static void verdict(void *source, const struct vmring_verdict *of)
{
    entries_verdict(source, of);
}

static void flush(void *source)
{
    entries_flush(source);
}

static unsigned int target_state(void *source, unsigned int *reason)
{
    const struct monitor *monitor = source;

    *reason = monitor->target.shutdown_reason;
    return monitor->target.state;
}

static bool end(void *source, bool forced)
{
    return end_leave(source, forced);
}

static void confine(void *source)
{
    struct monitor *monitor = source;

    lock_forget_place(&monitor->lock);
}

static int close_source(void *source)
{
    return monitor_close(source);
}

/* ---------------------------------------------------------- statistics -- */

static void stats(void *source, struct json_object *object)
{
    struct monitor *monitor = source;
    const struct monitor_stats *of = &monitor->stats;
    const struct ring *ring = &monitor->ring;
    struct json_object *legacy = json_object_new_object();
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {
        {"requests", of->requests},
        {"answered_at_once", of->at_once},
        {"posted", of->posted},
        {"answered_while_arming", of->arming},
        {"answered_while_ending", of->ending},
        {"malformed", of->malformed},
        {"bad_verdicts", of->bad_verdicts},
        {"failed_injections", of->failed_injections},
        {"dropped_injections", of->dropped_injections},
        {"notifications", of->notifications},
        {"busy_disables", of->busy_disables},
        {"enabled_ns", ring->enabled_ns},
        {"full_ns", ring->full_ns},
    };
    double share =
        ring->enabled_ns ? (double)ring->full_ns / (double)ring->enabled_ns : 0;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        json_object_object_add(legacy, numbers[i].key,
                               json_object_new_uint64(numbers[i].value));
    json_object_object_add(legacy, "full_share", json_object_new_double(share));
    json_object_object_add(object, "source", json_object_new_string("monitor"));
    json_object_object_add(object, "domid",
                           json_object_new_uint64(monitor->target.domid));
    json_object_object_add(object, "legacy_ring", legacy);
    bridge_log(
        LOG_NOTICE,
        "legacy ring: %llu requests, eight unanswered for %.3f s of %.3f "
        "s (%.1f %%)",
        (unsigned long long)of->requests, (double)ring->full_ns / 1e9,
        (double)ring->enabled_ns / 1e9, share * 100);
}

const struct source_ops monitor_source = {
    .open = open_source,
    .describe = describe,
    .serves = serves,
    .recover = recover_domain,
    .producer_ops = &producer_ops,
    .start = start,
    .run = run,
    .verdict = verdict,
    .flush = flush,
    .target_state = target_state,
    .end = end,
    .confine = confine,
    .close = close_source,
    .stats = stats,
};
