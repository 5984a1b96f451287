/* SPDX-License-Identifier: MIT */
/* wake.c: what wakes the bridge's loop. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "../exit_status.h"
#include "../log.h"
#include "../signals.h"
#include "state.h"

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
    bridge->dispatch = true;
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

int bridge_set_up_loop(struct bridge *bridge)
{
    bool good;

    bridge->base = event_base_new();
    if (!bridge->base) {
        bridge_log(LOG_ERR, "no event loop: %s", strerror(errno));
        return EXIT_FAULT;
    }
    bridge->timer = watch(bridge, -1, 0, on_wake);
    good = bridge->timer != NULL;
    for (int i = 0; i < NR_SIGNALS; i++) {
        int signal = bridge_ending_signals[i];

        if (!bridge_signal_ends(signal))
            continue;
        bridge->signals[i] =
            watch(bridge, signal, EV_SIGNAL | EV_PERSIST, on_signal);
        good = good && bridge->signals[i];
    }
    if (!good)
        bridge_log(LOG_ERR, "cannot watch for signals: %s", strerror(errno));
    return good ? 0 : EXIT_FAULT;
}

int bridge_watch(struct bridge *bridge)
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
        bridge_log(LOG_ERR, "cannot watch a descriptor: %s", strerror(errno));
    return good ? 0 : EXIT_FAULT;
}

void bridge_drop_event(struct event **event)
{
    if (*event)
        event_free(*event);
    *event = NULL;
}

void bridge_unwatch(struct bridge *bridge)
{
    bridge_drop_event(&bridge->producer_event);
    for (int i = 0; i < SOURCE_MAX_FDS; i++)
        bridge_drop_event(&bridge->source_events[i]);
}

void bridge_tear_down_loop(struct bridge *bridge)
{
    /* Without the loop they would have their defaults. */
    bridge_signals_end();
    bridge_drop_event(&bridge->timer);
    for (int i = 0; i < NR_SIGNALS; i++)
        bridge_drop_event(&bridge->signals[i]);
    if (bridge->base)
        event_base_free(bridge->base);
}
