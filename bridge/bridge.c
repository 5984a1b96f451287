/* SPDX-License-Identifier: MIT */
/*
 * bridge.c: the loop between a source and its producer.
 *
 * Serving, until a signal, the target's end or, with --once, the consumer's;
 * then telling a consumer that the target has ended; then ending, in the
 * order that leaves the target unharmed (source.h).
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "bridge.h"
#include "exit_status.h"
#include "log.h"
#include "report.h"

#define RUN_DIRECTORY "/run/vmring"

/* A consumer fetches its ledger in this time once the target has ended. */
#define TELLING_MS 1200
/* Between two looks while ending. */
#define ENDING_MS 5
/* Verdicts carried out in a row before the descriptors are looked at. */
#define MAX_VERDICTS 1024
#define NR_SIGNALS   2

enum phase { SERVING, TELLING, ENDING, OVER };

struct bridge {
    const struct bridge_options *options;
    const struct source_ops *ops;
    void *source;
    struct source_info info;
    struct vmring_producer *producer;

    struct event_base *base;
    struct event *timer, *producer_event, *signals[NR_SIGNALS];
    struct event *source_events[SOURCE_MAX_FDS];

    char socket[108]; /* where it serves, or "" */
    enum phase phase;
    int status;
    int nr_signals;
    int dispatch;    /* the producer's descriptor is readable */
    int serves_none; /* vmring_dispatch() said so */
    int gone;        /* a consumer has left since the last turn */
    unsigned int nr_armed;
    unsigned int target_state;
    int64_t linger_until; /* ms; 0: nobody is waited for */
    int64_t tell_until;
    struct report report;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* ------------------------------------------- what the producer asks for -- */

static void subscribe(void *ctx, const struct vmring_spec *specs,
                      unsigned int nr, int *results, char *error,
                      size_t error_len)
{
    struct bridge *bridge = ctx;
    const struct allow *allow = &bridge->options->allow;
    unsigned int nr_denied = 0;

    for (unsigned int i = 0; i < nr; i++) {
        int denied = !allow_spec(allow, &specs[i]);

        results[i] = denied ? VMRING_SPEC_DENIED : VMRING_SPEC_FAILED;
        nr_denied += denied;
    }
    if (nr_denied) {
        bridge->ops->producer_ops->subscribe(bridge->info.producer_ctx, NULL, 0,
                                             NULL, NULL, 0);
        bridge->nr_armed = 0;
        snprintf(error, error_len,
                 "not in this bridge's --allow-events; ask for other events");
        return;
    }
    bridge->ops->producer_ops->subscribe(bridge->info.producer_ctx, specs, nr,
                                         results, error, error_len);
    bridge->nr_armed = nr;
    for (unsigned int i = 0; i < nr; i++) {
        if (results[i] != VMRING_SPEC_ARMED)
            bridge->nr_armed = 0;
    }
}

static uint64_t supported(void *ctx)
{
    struct bridge *bridge = ctx;
    const struct vmring_producer_ops *ops = bridge->ops->producer_ops;
    uint64_t kinds =
        ops->supported ? ops->supported(bridge->info.producer_ctx) : UINT64_MAX;

    return kinds & bridge->options->allow.kinds;
}

static int quiet(void *ctx)
{
    struct bridge *bridge = ctx;
    const struct vmring_producer_ops *ops = bridge->ops->producer_ops;

    return ops->quiet ? ops->quiet(bridge->info.producer_ctx) : 1;
}

static void attached(void *ctx, int here, uint32_t verdicts)
{
    struct bridge *bridge = ctx;
    const struct vmring_producer_ops *ops = bridge->ops->producer_ops;

    if (!here)
        bridge->gone = 1;
    log_line(LOG_INFO,
             here ? "a consumer has attached" : "the consumer is gone");
    if (ops->attached)
        ops->attached(bridge->info.producer_ctx, here, verdicts);
}

static const struct vmring_producer_ops producer_ops = {
    .size = sizeof(producer_ops),
    .subscribe = subscribe,
    .supported = supported,
    .quiet = quiet,
    .attached = attached,
};

static void disarm(struct bridge *bridge)
{
    bridge->ops->producer_ops->subscribe(bridge->info.producer_ctx, NULL, 0,
                                         NULL, NULL, 0);
    bridge->nr_armed = 0;
}

/* ------------------------------------------------------------- phases -- */

static void drop_event(struct event **event);

static void drained(void *ctx, const struct vmring_verdict *verdict)
{
    struct bridge *bridge = ctx;

    report_drained(&bridge->report, verdict);
    bridge->ops->verdict(bridge->source, verdict);
}

/*
 * From here on the source answers by itself, neutrally.  What the ring holds
 * at this moment still reaches the consumer; what comes later was raised
 * after disarming by vCPUs that had waited for room.
 */
static void begin_end(struct bridge *bridge, int status)
{
    if (bridge->phase == ENDING || bridge->phase == OVER)
        return;
    bridge->phase = ENDING;
    bridge->status = status;
    disarm(bridge);
    bridge->ops->run(bridge->source);
    vmring_producer_flush(bridge->producer);
    report_take(&bridge->report, bridge->producer);
    drop_event(&bridge->producer_event);
    vmring_producer_close(bridge->producer, drained, bridge);
    bridge->producer = NULL;
    bridge->ops->start(bridge->source, NULL);
    bridge->ops->flush(bridge->source);
}

static const char *shutdown_name(unsigned int reason)
{
    static const char *const names[] = {"powered off",        "rebooted",
                                        "suspended",          "crashed",
                                        "fired its watchdog", "soft-reset"};

    return reason < sizeof(names) / sizeof(names[0]) ? names[reason]
                                                     : "shut down";
}

static void follow_target(struct bridge *bridge)
{
    unsigned int reason = 0;
    unsigned int state = bridge->ops->target_state(bridge->source, &reason);

    if (state == bridge->target_state)
        return;
    bridge->target_state = state;
    vmring_set_target_state(bridge->producer, state, reason);
    if (state != XEN_VM_RING_TARGET_SHUTDOWN &&
        state != XEN_VM_RING_TARGET_DESTROYED)
        return;
    if (state == XEN_VM_RING_TARGET_DESTROYED)
        log_line(LOG_NOTICE, "%s was destroyed; ending", bridge->info.name);
    else
        log_line(LOG_NOTICE, "%s has %s; ending", bridge->info.name,
                 shutdown_name(reason));
    bridge->phase = TELLING;
    bridge->status = EXIT_TARGET_ENDED;
    bridge->tell_until = now_ms() + TELLING_MS;
}

static void follow_consumer(struct bridge *bridge)
{
    const struct bridge_options *options = bridge->options;

    if (vmring_attached(bridge->producer)) {
        bridge->gone = 0;
        bridge->linger_until = 0;
        return;
    }
    if (bridge->gone) {
        bridge->gone = 0;
        if (bridge->nr_armed) {
            log_line(LOG_WARNING,
                     "the consumer went without detaching; its events stay "
                     "armed for %u s",
                     bridge->serves_none ? 0 : options->linger_s);
            bridge->linger_until =
                now_ms() + (int64_t)options->linger_s * 1000 + 1;
        } else if (options->once) {
            begin_end(bridge, EXIT_AS_ASKED);
            return;
        }
    }
    if (bridge->serves_none) {
        begin_end(bridge, EXIT_AS_ASKED);
    } else if (bridge->linger_until && now_ms() >= bridge->linger_until) {
        bridge->linger_until = 0;
        log_line(LOG_NOTICE, "no other consumer came; disarming its events");
        disarm(bridge);
        vmring_release(bridge->producer);
        if (options->once)
            begin_end(bridge, EXIT_AS_ASKED);
    }
}

/* --------------------------------------------------------------- turns -- */

static int sooner(int a, int b)
{
    if (a < 0)
        return b;
    return b < 0 || a < b ? a : b;
}

static int until(int64_t moment)
{
    int64_t rest = moment - now_ms();

    return rest > 0 ? (int)rest : 0;
}

/* Returns their number. */
static int carry_out_verdicts(struct bridge *bridge)
{
    struct vmring_verdict verdict;
    int nr = 0;

    while (nr < MAX_VERDICTS &&
           vmring_collect(bridge->producer, &verdict) == 1) {
        bridge->ops->verdict(bridge->source, &verdict);
        nr++;
    }
    bridge->ops->flush(bridge->source);
    return nr;
}

/* Returns the ms until the next turn, or SOURCE_WAIT. */
static int serving_turn(struct bridge *bridge)
{
    int due;

    if (bridge->dispatch) {
        bridge->dispatch = 0;
        if (vmring_dispatch(bridge->producer) == -EBADF)
            bridge->serves_none = 1;
    }
    due = bridge->ops->run(bridge->source);
    /* A vCPU that goes on may have something to raise at once. */
    if (carry_out_verdicts(bridge) > 0)
        due = 0;
    vmring_producer_flush(bridge->producer);

    follow_target(bridge);
    if (bridge->phase == SERVING)
        follow_consumer(bridge);
    else if (bridge->phase == TELLING &&
             (!vmring_attached(bridge->producer) || bridge->serves_none ||
              until(bridge->tell_until) == 0))
        begin_end(bridge, bridge->status);
    if (bridge->phase == ENDING)
        return 0;

    due = sooner(due, vmring_producer_timeout(bridge->producer));
    if (bridge->linger_until)
        due = sooner(due, until(bridge->linger_until));
    if (bridge->phase == TELLING)
        due = sooner(due, until(bridge->tell_until));
    return due;
}

static int ending_turn(struct bridge *bridge)
{
    bridge->ops->run(bridge->source);
    bridge->ops->flush(bridge->source);
    if (bridge->ops->end(bridge->source, bridge->nr_signals > 1))
        bridge->phase = OVER;
    return ENDING_MS;
}

static void sleep_until_due(struct bridge *bridge, int due)
{
    struct timeval wait = {due / 1000, due % 1000 * 1000};

    if (due >= 0)
        event_add(bridge->timer, &wait);
    else
        event_del(bridge->timer);
    event_base_loop(bridge->base, EVLOOP_ONCE);
}

static void loop(struct bridge *bridge)
{
    while (bridge->phase != OVER) {
        if (bridge->nr_signals && bridge->phase != ENDING) {
            log_line(LOG_INFO, "a signal; ending");
            begin_end(bridge, bridge->phase == TELLING ? EXIT_TARGET_ENDED
                                                       : EXIT_AS_ASKED);
        }
        sleep_until_due(bridge, bridge->phase == ENDING ? ending_turn(bridge)
                                                        : serving_turn(bridge));
    }
}

/* ------------------------------------------------------ events, set-up -- */

static void on_signal(evutil_socket_t signal, short what, void *ctx)
{
    struct bridge *bridge = ctx;

    (void)signal;
    (void)what;
    bridge->nr_signals++;
}

static void on_producer(evutil_socket_t fd, short what, void *ctx)
{
    struct bridge *bridge = ctx;

    (void)fd;
    (void)what;
    bridge->dispatch = 1;
}

/* Timer and source only wake the loop: each turn looks at everything. */
static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    (void)ctx;
}

static struct event *watch(struct bridge *bridge, int fd, short what,
                           event_callback_fn fn)
{
    struct event *event = event_new(bridge->base, fd, what, fn, bridge);

    if (event && what && event_add(event, NULL) < 0) {
        event_free(event);
        event = NULL;
    }
    return event;
}

/* Before a source is open: a signal must never find one unguarded. */
static int set_up_loop(struct bridge *bridge)
{
    static const int signals[] = {SIGINT, SIGTERM};
    bool good;

    bridge->base = event_base_new();
    if (!bridge->base) {
        log_line(LOG_ERR, "no event loop: %s", strerror(errno));
        return EXIT_FAULT;
    }
    bridge->timer = watch(bridge, -1, 0, on_wake);
    good = bridge->timer != NULL;
    for (int i = 0; i < NR_SIGNALS; i++) {
        bridge->signals[i] =
            watch(bridge, signals[i], EV_SIGNAL | EV_PERSIST, on_signal);
        good = good && bridge->signals[i];
    }
    if (!good)
        log_line(LOG_ERR, "cannot watch for signals: %s", strerror(errno));
    return good ? 0 : EXIT_FAULT;
}

static int watch_descriptors(struct bridge *bridge)
{
    bool good;

    bridge->producer_event = watch(bridge, vmring_producer_fd(bridge->producer),
                                   EV_READ | EV_PERSIST, on_producer);
    good = bridge->producer_event != NULL;
    for (int i = 0; i < bridge->info.nr_fds; i++) {
        bridge->source_events[i] =
            watch(bridge, bridge->info.fds[i], EV_READ | EV_PERSIST, on_wake);
        good = good && bridge->source_events[i];
    }
    if (!good)
        log_line(LOG_ERR, "cannot watch a descriptor: %s", strerror(errno));
    return good ? 0 : EXIT_FAULT;
}

static void drop_event(struct event **event)
{
    if (*event)
        event_free(*event);
    *event = NULL;
}

static void tear_down_loop(struct bridge *bridge)
{
    drop_event(&bridge->timer);
    drop_event(&bridge->producer_event);
    for (int i = 0; i < NR_SIGNALS; i++)
        drop_event(&bridge->signals[i]);
    for (int i = 0; i < SOURCE_MAX_FDS; i++)
        drop_event(&bridge->source_events[i]);
    if (bridge->base)
        event_base_free(bridge->base);
}

static int open_producer(struct bridge *bridge)
{
    const struct bridge_options *options = bridge->options;
    struct vmring_producer_opts opts = {
        .size = sizeof(opts),
        .log = log_text,
        .ops = &producer_ops,
        .ops_ctx = bridge,
        .target = bridge->info.name,
        .nr_vcpus = bridge->info.nr_vcpus,
        .arch = bridge->info.arch,
        .verdicts = options->allow_verdicts & bridge->info.verdicts,
        .reasons = allow_reasons(&options->allow),
        .deadline_ns = options->deadline_ns,
        .on_deadline = options->on_deadline,
        .foreign = bridge->info.foreign,
    };
    int error = vmring_producer_open(&opts, &bridge->producer);

    if (error < 0) {
        log_line(LOG_ERR, "cannot make the ring's producer: %s",
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
        log_line(LOG_ERR,
                 "another bridge serves %s; end it, or give another --listen",
                 uri);
        return EXIT_BUSY;
    case -EACCES:
    case -EPERM:
        log_line(LOG_ERR,
                 "no permission to serve %s; run as root, or give a --listen "
                 "in a folder of yours",
                 uri);
        return EXIT_PERMISSION;
    case -EINVAL:
    case -ENAMETOOLONG:
        log_line(LOG_ERR,
                 "cannot serve '%s'; --listen takes local:PATH with a path of "
                 "less than 108 bytes",
                 uri);
        return EXIT_USAGE;
    default:
        log_line(LOG_ERR, "cannot serve %s: %s", uri, strerror(-error));
        return EXIT_FAULT;
    }
}

static int serve(struct bridge *bridge)
{
    const struct bridge_options *options = bridge->options;
    const char *uri = options->listen;
    int error;

    if (options->fd >= 0) {
        error = vmring_serve_fd(bridge->producer, options->fd);
        if (error < 0) {
            log_line(LOG_ERR, "--fd %d is not a connected unix socket: %s",
                     options->fd, strerror(-error));
            return EXIT_USAGE;
        }
    } else if (!uri) {
        uri = bridge->info.listen;
        if (!*uri) {
            log_line(LOG_ERR,
                     "this target has no default socket; give --listen "
                     "local:PATH");
            return EXIT_USAGE;
        }
        if (mkdir(RUN_DIRECTORY, 0755) < 0 && errno != EEXIST)
            return cannot_serve(uri, -errno);
    }
    if (uri) {
        error = vmring_serve(bridge->producer, uri, options->mode);
        if (error < 0)
            return cannot_serve(uri, error);
        snprintf(bridge->socket, sizeof(bridge->socket), "%s",
                 uri + strlen("local:"));
        log_line(LOG_INFO, "serving %s", uri);
    }
    return 0;
}

/* The socket's path, so that who has started us knows where to go. */
static void tell_ready(const struct bridge *bridge)
{
    const struct bridge_options *options = bridge->options;
    char line[128];
    int len;

    if (options->ready_fd < 0)
        return;
    len = snprintf(line, sizeof(line), "%s\n", bridge->socket);
    if (write(options->ready_fd, line, (size_t)len) != len)
        log_line(LOG_WARNING, "cannot write to --ready-fd: %s",
                 strerror(errno));
    close(options->ready_fd);
}

static int write_statistics(struct bridge *bridge)
{
    const struct bridge_options *options = bridge->options;
    struct json_object *object = json_object_new_object();
    int error = 0;

    json_object_object_add(object, "target",
                           json_object_new_string(bridge->info.name));
    json_object_object_add(object, "vcpus",
                           json_object_new_uint64(bridge->info.nr_vcpus));
    report_json(&bridge->report, object);
    if (!options->quiet)
        report_print(&bridge->report);
    bridge->ops->stats(bridge->source, object);
    if (options->stats)
        error = report_write(object, options->stats);
    json_object_put(object);
    if (error < 0) {
        log_line(LOG_ERR, "cannot write the statistics to %s: %s",
                 options->stats, strerror(-error));
        return EXIT_OUTPUT;
    }
    return 0;
}

static int open_source(struct bridge *bridge)
{
    int status = bridge->ops->open(bridge->options->target, &bridge->source);

    if (!status)
        bridge->ops->describe(bridge->source, &bridge->info);
    return status;
}

/* Nothing was armed, so there is nothing to come down from. */
static void abandon(struct bridge *bridge)
{
    bridge->ops->start(bridge->source, NULL);
    while (!bridge->ops->end(bridge->source, 0))
        usleep(ENDING_MS * 1000);
    drop_event(&bridge->producer_event);
    vmring_producer_close(bridge->producer, NULL, NULL);
}

static int serve_until_the_end(struct bridge *bridge)
{
    int status = open_producer(bridge);

    if (!status)
        status = watch_descriptors(bridge);
    if (!status)
        status = serve(bridge);
    if (status) {
        abandon(bridge);
        return status;
    }
    tell_ready(bridge);
    loop(bridge);
    status = write_statistics(bridge);
    return bridge->status ? bridge->status : status;
}

int bridge_run(const struct bridge_options *options)
{
    struct bridge bridge = {.options = options, .ops = options->source};
    int status = set_up_loop(&bridge), close_status = 0;

    if (!status)
        status = open_source(&bridge);
    if (!status) {
        status = serve_until_the_end(&bridge);
        close_status = bridge.ops->close(bridge.source);
    }
    tear_down_loop(&bridge);
    return close_status ? close_status : status;
}
