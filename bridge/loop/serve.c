/* SPDX-License-Identifier: MIT */
/* serve.c: the producer: what consumers ask for, and where. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../exit_status.h"
#include "../log.h"
#include "../outlet.h"
#include "reader.h"
#include "state.h"

/* The program that has started us reads --ready-fd at once. */
#define READY_MS 1000

/* All or nothing is armed, once the source says that it is done. */
static bool arming(void *ctx)
{
    struct bridge *bridge = ctx;
    const struct vmring_producer_ops *ops = bridge->ops->producer_ops;

    if (ops->arming && ops->arming(bridge->info.producer_ctx))
        return true;
    for (unsigned int i = 0; bridge->results && i < bridge->nr_armed; i++) {
        if (bridge->results[i] != VMRING_SPEC_ARMED)
            bridge->nr_armed = 0;
    }
    bridge->results = NULL;
    return false;
}

static void subscribe(void *ctx, const struct vmring_spec *specs,
                      unsigned int nr, int *results, char *error,
                      size_t error_len)
{
    struct bridge *bridge = ctx;
    const struct allow *allow = &bridge->options->allow;
    unsigned int nr_denied = 0;

    for (unsigned int i = 0; i < nr; i++) {
        bool denied = !allow_spec(allow, &specs[i]);

        results[i] = denied ? VMRING_SPEC_DENIED : VMRING_SPEC_FAILED;
        nr_denied += denied;
    }
    if (nr_denied) {
        bridge_disarm(bridge);
        snprintf(error, error_len,
                 "not in this bridge's --allow-events; ask for other events");
        return;
    }
    bridge->nr_armed = nr;
    bridge->results = results;
    bridge->ops->producer_ops->subscribe(bridge->info.producer_ctx, specs, nr,
                                         results, error, error_len);
    arming(bridge);
}

static uint64_t supported(void *ctx)
{
    struct bridge *bridge = ctx;
    const struct vmring_producer_ops *ops = bridge->ops->producer_ops;
    uint64_t kinds =
        ops->supported ? ops->supported(bridge->info.producer_ctx) : UINT64_MAX;

    return kinds & bridge->options->allow.kinds;
}

static bool quiet(void *ctx)
{
    struct bridge *bridge = ctx;
    const struct vmring_producer_ops *ops = bridge->ops->producer_ops;

    return ops->quiet ? ops->quiet(bridge->info.producer_ctx) : true;
}

static void attached(void *ctx, bool is_attached, uint32_t verdicts)
{
    struct bridge *bridge = ctx;
    const struct vmring_producer_ops *ops = bridge->ops->producer_ops;

    if (!is_attached)
        bridge->gone = true;
    bridge_title(bridge, is_attached);
    if (ops->attached)
        ops->attached(bridge->info.producer_ctx, is_attached, verdicts);
}

static uint64_t room(void *ctx)
{
    struct bridge *bridge = ctx;
    uint64_t left = memory_left(&bridge->room);

    if (left < bridge->options->max_async_len)
        bridge_log(LOG_WARNING,
                   "memory is short: %llu MiB are left for a consumer's ring, "
                   "less than --max-async-bytes",
                   (unsigned long long)(left >> 20));
    return left;
}

static int channel_is_bound(void *ctx, uint32_t port)
{
    struct bridge *bridge = ctx;
    const struct vmring_producer_ops *ops = bridge->ops->producer_ops;

    return ops->channel_is_bound
               ? ops->channel_is_bound(bridge->info.producer_ctx, port)
               : -EOPNOTSUPP;
}

static int open_reading(void *ctx, int fd)
{
    const struct bridge *bridge = ctx;

    return bridge_reader_open(bridge->options->reader, fd);
}

static const struct vmring_producer_ops producer_ops = {
    .size = sizeof(producer_ops),
    .subscribe = subscribe,
    .supported = supported,
    .quiet = quiet,
    .attached = attached,
    .arming = arming,
    .room = room,
    .channel_is_bound = channel_is_bound,
    .open_reading = open_reading,
};

void bridge_disarm(struct bridge *bridge)
{
    bridge->ops->producer_ops->subscribe(bridge->info.producer_ctx, NULL, 0,
                                         NULL, NULL, 0);
    bridge->nr_armed = 0;
    bridge->results = NULL;
}

/* No consumer of this target could have less. */
static uint64_t least_async_len(const struct bridge *bridge)
{
    const uint64_t record = (XEN_VM_RING_EVENT_FULL + UINT64_C(63)) / 64 * 64;
    uint64_t nr_lanes = bridge->info.nr_vcpus;

    if (bridge->info.foreign)
        nr_lanes++;
    return nr_lanes * XEN_VM_RING_MIN_SLOTS * record;
}

int bridge_open_producer(struct bridge *bridge)
{
    const struct bridge_options *options = bridge->options;
    struct vmring_producer_ops ops = producer_ops;
    struct vmring_producer_opts opts = {
        .size = sizeof(opts),
        .log = bridge_log_text,
        .ops = &ops,
        .ops_ctx = bridge,
        .target = bridge->info.name,
        .nr_vcpus = bridge->info.nr_vcpus,
        .arch = bridge->info.arch,
        .verdicts = options->allow_verdicts & bridge->info.verdicts,
        .reasons = allow_reasons(&options->allow),
        .deadline_ns = options->deadline_ns,
        .on_deadline = options->on_deadline,
        .foreign = bridge->info.foreign,
        .max_async_len = options->max_async_len,
        .source = bridge->info.source,
        .target_id = bridge->info.target_id,
    };
    int error;

    if (options->max_async_len < least_async_len(bridge)) {
        bridge_log(
            LOG_ERR,
            "--max-async-bytes %llu is less than the smallest ring of %s, "
            "%llu; give that or more",
            (unsigned long long)options->max_async_len, bridge->info.name,
            (unsigned long long)least_async_len(bridge));
        return EXIT_USAGE;
    }
    /* Without a sandbox this process sees /proc itself. */
    if (options->no_sandbox)
        ops.open_reading = NULL;
    error = vmring_producer_open(&opts, &bridge->producer);

    if (error < 0) {
        bridge_log(LOG_ERR, "cannot make the ring's producer: %s",
                   strerror(-error));
        return EXIT_FAULT;
    }
    bridge->ops->start(bridge->source, bridge->producer);
    return 0;
}

static int cannot_serve(const char *uri, int error)
{
    switch (error) {
    case -EADDRINUSE:
        bridge_log(LOG_ERR,
                   "another bridge serves %s; end it, or give another --listen",
                   uri);
        return EXIT_BUSY;
    case -EEXIST:
        bridge_log(LOG_ERR,
                   "cannot serve %s: there is a file that is no socket; remove "
                   "it, or give another --listen",
                   uri);
        return EXIT_USAGE;
    case -EISDIR:
    case -ELOOP:
        bridge_log(LOG_ERR,
                   "cannot serve %s: %s.lock, a file while this starts, is "
                   "something else; remove it",
                   uri, uri + strlen("local:"));
        return EXIT_USAGE;
    case -ENOENT:
        bridge_log(LOG_ERR,
                   "cannot serve %s: its folder is not there; create it, or "
                   "give another --listen",
                   uri);
        return EXIT_USAGE;
    case -EACCES:
    case -EPERM:
        bridge_log(LOG_ERR,
                   "no permission to serve %s; run as root, or give a --listen "
                   "in a folder of yours",
                   uri);
        return EXIT_PERMISSION;
    case -EINVAL:
    case -ENAMETOOLONG:
        bridge_log(
            LOG_ERR,
            "cannot serve '%s'; --listen takes local:PATH with a path of "
            "less than 108 bytes",
            uri);
        return EXIT_USAGE;
    default:
        bridge_log(LOG_ERR, "cannot serve %s: %s", uri, strerror(-error));
        return EXIT_FAULT;
    }
}

/* A second bridge for the same target names this socket. */
static void say_where(struct bridge *bridge, const char *uri)
{
    if (bridge->ops->serves)
        bridge->ops->serves(bridge->source, uri);
}

/* By granted pages, to the agents of one domain.  The library says why not. */
static int serve_domain(struct bridge *bridge)
{
    uint32_t domid = bridge->agents;
    char uri[64], note[64];

    snprintf(uri, sizeof(uri), "grant:%u/%s", domid, bridge->info.tree);
    switch (vmring_producer_serve(bridge->producer, uri, 0)) {
    case 0:
        break;
    case -EACCES:
    case -EPERM:
        return EXIT_PERMISSION;
    case -ENOENT:
    case -ENODEV:
    case -ENXIO:
        return EXIT_NO_XEN;
    case -EOPNOTSUPP:
        return EXIT_UNSUPPORTED;
    case -ETIMEDOUT: /* xenstored, which somebody will continue or start */
        return EXIT_NO_TARGET;
    default:
        return EXIT_FAULT;
    }
    snprintf(note, sizeof(note), "which serves the agents of domain %u", domid);
    say_where(bridge, note);
    snprintf(bridge->socket, sizeof(bridge->socket), "%s", bridge->info.tree);
    bridge_log(bridge_log_by_hand(),
               "serving %s to the agents of domain %u; attach there by "
               "'vmring-agent grant:DOMID/%s' with the id of this domain; "
               "Ctrl-C ends",
               bridge->info.name, domid, bridge->info.tree);
    return 0;
}

int bridge_serve(struct bridge *bridge)
{
    const struct bridge_options *options = bridge->options;
    const char *uri = options->listen;
    int error;

    if (options->to)
        return serve_domain(bridge);
    if (options->fd >= 0) {
        error = vmring_producer_serve_fd(bridge->producer, options->fd);
        if (error < 0) {
            bridge_log(LOG_ERR,
                       "--fd %d: %s; give the number of a connected "
                       "unix socket, SOCK_SEQPACKET",
                       options->fd, strerror(-error));
            return EXIT_USAGE;
        }
    } else if (!uri) {
        uri = bridge->info.listen;
        if (!*uri) {
            bridge_log(LOG_ERR,
                       "this target has no default socket; give --listen "
                       "local:PATH");
            return EXIT_USAGE;
        }
        error = run_directory_make();
        if (error < 0)
            return cannot_serve(uri, error);
    }
    if (uri) {
        error = vmring_producer_serve(bridge->producer, uri, options->mode);
        if (error < 0)
            return cannot_serve(uri, error);
        snprintf(bridge->socket, sizeof(bridge->socket), "%s",
                 uri + strlen("local:"));
        bridge_log(bridge_log_by_hand(),
                   "serving %s; attach by 'vmring-agent %s'; Ctrl-C ends",
                   bridge->info.name, uri);
    }
    say_where(bridge, uri ? uri : "which serves the process that started it");
    return 0;
}

/*
 * The socket's path, or the name for --to, so that the process that started
 * us knows where to connect.  If it has gone, nobody comes for --once.
 */
void bridge_tell_ready(struct bridge *bridge)
{
    const struct bridge_options *options = bridge->options;
    struct outlet *outlet;
    char line[128];
    int len, error;

    if (options->ready_fd < 0)
        return;
    len = snprintf(line, sizeof(line), "%s\n", bridge->socket);
    outlet = outlet_open(options->ready_fd);
    error = outlet ? outlet_put(outlet, line, (size_t)len) : -errno;
    if (outlet && !error)
        error = outlet_close(outlet, READY_MS);
    if (error == -EPIPE && options->once) {
        bridge_log(LOG_WARNING, "who has started this has gone; ending");
        bridge->nr_signals++;
    } else if (error) {
        bridge_log(LOG_WARNING, "cannot write to --ready-fd: %s",
                   strerror(-error));
    }
    close(options->ready_fd);
}
