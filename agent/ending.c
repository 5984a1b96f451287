/* SPDX-License-Identifier: MIT */
/*
 * ending.c: when it is to end, and what is told until it has.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/early.h"
#include "loop.h"
#include "output/rate.h"
#include "output/say.h"

/* When to tell what the end waits for, and how often. */
#define SLOW_END_S 5

double loop_now(void)
{
    return (double)clock_ns() / 1e9;
}

void loop_clear_live_line(struct loop *loop)
{
    static const char clear[] = "\r\033[K";

    if (loop->live)
        say_raw(clear, sizeof(clear) - 1);
    loop->live = false;
}

void loop_finish(struct loop *loop, enum ending ending)
{
    loop->run->ending = ending;
    loop->over = true;
}

void run_limit_end(struct run *run)
{
    unsigned int ms = run->options->end_within_ms;

    if (!run->limit && ms)
        run->limit = clock_ns() + ms * UINT64_C(1000000);
}

void loop_begin_ending(struct loop *loop)
{
    const struct timeval slow = {.tv_sec = SLOW_END_S};
    unsigned int ms = loop->run->options->end_within_ms;
    const struct timeval limit = {.tv_sec = ms / 1000,
                                  .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    if (loop->ending)
        return;
    loop->ending = true;
    run_limit_end(loop->run);
    /* One may be there even so: over grant:, where xenstore is lost. */
    loop->unheard = vmring_quiesce(loop->run->ring) == -ECONNRESET;
    if (loop->reminder)
        event_add(loop->reminder, &slow);
    if (loop->limit && ms)
        event_add(loop->limit, &limit);
}

static void on_signal(evutil_socket_t signal, short what, void *ctx)
{
    struct loop *loop = ctx;

    (void)what;
    if (signal == SIGUSR1) {
        loop->asked = true;
        return;
    }
    /* A hang-up may be told by the terminal and by the shell. */
    if (loop->ending && signal != SIGHUP)
        loop_finish(loop, ENDED_INTERRUPTED);
    loop_begin_ending(loop);
}

/* SIGWINCH: a line that has begun keeps its width. */
static void on_resize(evutil_socket_t signal, short what, void *ctx)
{
    struct loop *loop = ctx;

    (void)signal;
    (void)what;
    output_resized(loop->run->out);
    loop->unordered.columns = loop->run->out->columns;
    say_resized();
    workers_resized(loop->workers);
}

static void on_end_timer(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    loop_begin_ending(ctx);
}

/* Says what the end waits for, between `begin` and `end`. */
static void say_why(struct loop *loop, const char *begin, const char *end)
{
    const struct run *run = loop->run;
    int state = vmring_target_state(run->ring, NULL);

    loop_clear_live_line(loop);
    if (output_is_full(run->out))
        say("%s: nobody reads %s; %s", begin, run->out->name, end);
    else if (state == XEN_VM_RING_TARGET_PAUSED)
        say("%s: %s is paused, with events on their way; unpause it, or %s",
            begin, run->info->target, end);
    else if (state == XEN_VM_RING_TARGET_SHUTDOWN)
        say("%s: %s is suspended, with events on their way; %s", begin,
            run->info->target, end);
    else
        say("%s: the producer of %s has events on their way, or is stuck; %s",
            begin, run->info->target, end);
}

static void on_reminder(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    say_why(ctx, "not ended yet", "Ctrl-C gives up");
}

static void on_limit(evutil_socket_t fd, short what, void *ctx)
{
    struct loop *loop = ctx;
    char begin[64];

    (void)fd;
    (void)what;
    snprintf(begin, sizeof(begin), "not ended within %g s",
             loop->run->options->end_within_ms / 1000.0);
    say_why(loop, begin,
            loop->run->is_from_xen
                ? "detaching without the last events; if it is stuck, events "
                  "stay armed until the next agent ends"
                : "detaching without the last events");
    event_del(loop->reminder); /* it may be due now, too */
    loop->run->unread = output_is_full(loop->run->out);
    loop_finish(loop, ENDED_LIMIT);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
    struct loop *loop = ctx;
    struct vmring_lane_count *lanes;
    double time = loop_now() - loop->start;
    uint64_t lost = 0;
    int nr = vmring_lane_counts(loop->run->ring, &lanes);
    char text[128], rate[RATE_LEN];
    int len;

    (void)fd;
    (void)what;
    for (int i = 0; i < nr; i++)
        lost += lanes[i].lost;
    if (nr >= 0)
        free(lanes);
    rate_text(rate, (double)(loop->events - loop->tick_events) /
                        (time - loop->tick_time));
    len = snprintf(text, sizeof(text),
                   "%7.1f s  %" PRIu64 " event%s  %s  %" PRIu64 " lost", time,
                   loop->events, loop->events == 1 ? "" : "s", rate, lost);
    loop_clear_live_line(loop);
    /* A line that goes on in the next could not be cleared. */
    if (len >= (int)say_columns())
        len = (int)say_columns() - 1;
    say_raw(text, (size_t)len);
    loop->live = true;
    loop->tick_events = loop->events;
    loop->tick_time = time;
}

/* Adds up what was handed over so far, to workers too. */
static int sum_up(struct loop *loop, struct ledger *sum)
{
    int r = ledger_open(sum, loop->run->info, loop->run->options->summary);

    if (r)
        return r;
    ledger_add(sum, loop->run->ledger);
    sum->unordered = loop->order ? order_late(loop->order) : 0;
    r = workers_add_ledgers(loop->workers, sum);
    if (!r)
        r = ledger_fetch(sum, loop->run->ring, true);
    sum->seconds = loop_now() - loop->start;
    sum->filtered = loop->run->options->filter.nr;
    return r ? r : ledger_settle(sum, "it goes on");
}

void loop_show_ledger(struct loop *loop)
{
    const struct run *run = loop->run;
    struct output text;
    struct ledger sum;
    const struct report report = {.ledger = &sum,
                                  .info = run->info,
                                  .ending = "running",
                                  .all = run->options->verbose};
    int r;

    loop->asked = false;
    loop_clear_live_line(loop);
    r = sum_up(loop, &sum);
    if (r) {
        say("no ledger now: %s", strerror(-r));
    } else {
        say_buffer(&text);
        run->options->format->ledger(&text, &report);
        say_raw(text.buffer, text.used);
        free(text.buffer);
    }
    ledger_close(&sum);
}

static struct timeval timeval_of(double seconds)
{
    struct timeval t;

    t.tv_sec = (time_t)seconds;
    t.tv_usec = (suseconds_t)((seconds - floor(seconds)) * 1e6);
    return t;
}

/* A signal that nohup(1) has ignored stays so. */
static bool is_ignored(int signal)
{
    struct sigaction action;

    return sigaction(signal, NULL, &action) == 0 &&
           action.sa_handler == SIG_IGN;
}

int loop_watch_for_the_end(struct loop *loop)
{
    static const int signals[NR_SIGNALS] = {SIGINT,  SIGTERM, SIGHUP,
                                            SIGQUIT, SIGXCPU, SIGUSR1};
    const struct options *options = loop->run->options;
    const struct timeval second = {.tv_sec = 1};
    struct timeval limit;

    for (unsigned int i = 0; i < NR_SIGNALS; i++) {
        if (signals[i] == SIGHUP && is_ignored(SIGHUP))
            continue;
        loop->signals[i] =
            evsignal_new(loop->base, signals[i], on_signal, loop);
        if (!loop->signals[i] || event_add(loop->signals[i], NULL) < 0)
            return -ENOMEM;
    }
    loop->resize = evsignal_new(loop->base, SIGWINCH, on_resize, loop);
    if (!loop->resize || event_add(loop->resize, NULL) < 0)
        return -ENOMEM;
    loop->reminder = event_new(loop->base, -1, EV_PERSIST, on_reminder, loop);
    loop->limit = evtimer_new(loop->base, on_limit, loop);
    loop->end_timer = evtimer_new(loop->base, on_end_timer, loop);
    loop->tick = event_new(loop->base, -1, EV_PERSIST, on_tick, loop);
    if (!loop->reminder || !loop->limit || !loop->end_timer || !loop->tick)
        return -ENOMEM;
    if (options->seconds > 0) {
        limit = timeval_of(options->seconds);
        event_add(loop->end_timer, &limit);
    }
    /* Where events scroll by, or in a file, it would only disturb. */
    if ((options->quiet || options->output) && say_is_live())
        event_add(loop->tick, &second);
    return 0;
}

void loop_unwatch_the_end(struct loop *loop)
{
    struct event *events[] = {loop->end_timer, loop->tick, loop->reminder,
                              loop->limit, loop->resize};

    early_hold();
    for (unsigned int i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (events[i])
            event_free(events[i]);
    for (unsigned int i = 0; i < NR_SIGNALS; i++)
        if (loop->signals[i])
            event_free(loop->signals[i]);
    (void)signal(SIGHUP, SIG_IGN); /* it may come twice */
    /* It is ending, and still attached: another signal cuts that short. */
    early_begin();
}
