/* SPDX-License-Identifier: MIT */
/*
 * run.c: takes events, answers, shows and counts them, until it ends.
 */
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../bridge/exit_status.h"
#include "base/clock.h"
#include "base/early.h"
#include "loop.h"
#include "output/say.h"

/* Events between two looks at signals and timers. */
#define BATCH 256
/* --slow: a shorter pause is slept through, as the loop's timers are in ms. */
#define PAUSE_US 5000

/* The loop's body looks at everything: that it wakes up is enough. */
static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    (void)ctx;
}

/* Lines go to the output, or with --sort to be put in order. */
static void put(struct loop *loop, const char *data, size_t len)
{
    struct output *out = loop->run->out;

    if (!loop->order)
        output_bytes(out, data, len);
    else if (order_feed(loop->order, data, len, clock_ns()) && !out->error)
        out->error = ENOMEM;
}

/* Hands on the lines that this thread has written itself. */
static void feed(struct loop *loop)
{
    struct output *lines = &loop->unordered;

    if (output_held(lines))
        put(loop, lines->buffer + lines->start, output_held(lines));
    lines->start = lines->used = 0;
}

static void show_target(struct loop *loop, const struct vmring_event *event)
{
    struct run *run = loop->run;

    size_t begun = 0;

    if (run->options->quiet)
        return;
    if (loop->order) {
        feed(loop);
        begun = order_begin(loop->taker.out);
    }
    run->options->format->target(loop->taker.out, event, run->options->times);
    /* Behind the events that were seen before it. */
    if (loop->order)
        order_end(loop->taker.out, begun, order_latest(loop->order));
}

static void on_pause_over(evutil_socket_t fd, short what, void *ctx)
{
    struct loop *loop = ctx;

    (void)fd;
    (void)what;
    loop->pausing = false;
}

/* --slow: signals and timers have their turn in it. */
static void begin_pause(struct loop *loop)
{
    unsigned int us = loop->run->options->slow_us;
    const struct timeval time = {us / 1000000, us % 1000000};

    loop->pausing = loop->pause && event_add(loop->pause, &time) == 0;
}

static void take(struct loop *loop, const struct vmring_event *event)
{
    const struct options *options = loop->run->options;
    struct answer answer = take_event(&loop->taker, event);

    loop->events++;
    if (count_if_wanted(&loop->taker, event)) {
        loop->shown++;
        /* Those after -n COUNT are answered and counted, but not shown. */
        if (!options->count || loop->shown <= options->count)
            show_event(&loop->taker, event, answer);
        if (loop->shown == options->count)
            loop_begin_ending(loop);
    }
    if (options->slow_us >= PAUSE_US)
        begin_pause(loop);
    else if (options->slow_us)
        usleep(options->slow_us);
}

/* Writes and counts the lines of a worker. */
static void add_lines(void *ctx, struct lines *lines)
{
    struct loop *loop = ctx;
    struct output *out = loop->run->out;
    uint64_t count = loop->run->options->count, shown = lines->shown;

    if (count && loop->shown + shown > count)
        shown = loop->shown < count ? count - loop->shown : 0;
    if (lines_len(lines, shown)) /* else there may be no buffer */
        put(loop, lines->out.buffer, lines_len(lines, shown));
    if (lines->out.error && !out->error)
        out->error = lines->out.error;
    loop->events += lines->events;
    loop->shown += lines->shown;
    if (count && loop->shown >= count && !loop->over)
        loop_begin_ending(loop);
}

/* true: there may be more; the ring, signals and timers have their turn. */
static bool collect(struct loop *loop)
{
    struct run *run = loop->run;

    for (unsigned int i = 0; i < run->options->nr_workers; i++) {
        struct lines *lines;

        if (output_is_full(run->out))
            return true;
        lines = workers_collect(loop->workers);
        if (!lines)
            return false;
        add_lines(loop, lines);
    }
    return run->options->nr_workers;
}

/* Pushes the output; false while it has to be waited for. */
static bool push(struct loop *loop)
{
    struct output *out = loop->run->out;
    int r = output_push(out);

    if (out->error && !loop->failed) {
        loop->failed = true;
        loop_clear_live_line(loop);
        /* A reader that has gone has had enough: as `head` does. */
        if (out->error != EPIPE)
            say("%s: %s; events are no longer written, detaching", out->name,
                strerror(out->error));
        loop_begin_ending(loop);
    }
    if (r != -EAGAIN)
        return true;
    if (!loop->output_event)
        loop->output_event =
            event_new(loop->base, out->fd, EV_WRITE, on_wake, loop);
    if (loop->output_event)
        event_add(loop->output_event, NULL);
    return false;
}

/* Its descriptor is valid only once there was nothing to take. */
static void watch_ring(struct loop *loop, bool watch)
{
    int fd = watch ? vmring_fd(loop->run->ring) : loop->ring_fd;

    if (loop->ring_event && fd != loop->ring_fd) {
        event_free(loop->ring_event);
        loop->ring_event = NULL;
        loop->ring_watched = false;
    }
    if (!loop->ring_event && watch) {
        loop->ring_fd = fd;
        loop->ring_event =
            event_new(loop->base, fd, EV_READ | EV_PERSIST, on_wake, loop);
    }
    if (watch == loop->ring_watched || !loop->ring_event)
        return;
    if (watch)
        event_add(loop->ring_event, NULL);
    else
        event_del(loop->ring_event);
    loop->ring_watched = watch;
}

/* It stays readable until lines that workers have handed over are collected. */
static void watch_lines(struct loop *loop, bool watch)
{
    if (loop->lines_event && watch)
        event_add(loop->lines_event, NULL);
    else if (loop->lines_event)
        event_del(loop->lines_event);
}

static void end_by(struct loop *loop, int error)
{
    switch (error) {
    case -ENODATA:
        /* If it was not asked for, the producer ends. */
        loop_finish(loop, loop->ending ? ENDED_DRAINED : ENDED_PRODUCER);
        break;
    case -ESRCH:
        loop_finish(loop, ENDED_TARGET);
        break;
    case -ECONNRESET:
        loop_finish(loop, ENDED_PEER_LOST);
        break;
    default:
        loop_finish(loop, ENDED_PEER_BROKEN);
        break;
    }
}

/* Takes a batch.  Returns whether there is more to take at once. */
static bool take_batch(struct loop *loop)
{
    struct run *run = loop->run;
    unsigned int most = run->options->slow_us ? 1 : BATCH;
    struct vmring_event event;
    bool more;

    if (output_is_full(run->out) && !push(loop)) {
        watch_ring(loop, false);
        watch_lines(loop, false);
        return false;
    }
    watch_lines(loop, true);
    more = collect(loop);
    for (unsigned int i = 0; i < most; i++) {
        int r = vmring_next(run->ring, &event);

        if (r == VMRING_NEXT_EVENT) {
            take(loop, &event);
            continue;
        }
        if (r == VMRING_NEXT_TARGET) {
            show_target(loop, &event);
            continue;
        }
        push(loop);
        if (r == 0 && loop->unheard)
            end_by(loop, -ECONNRESET);
        else if (r == 0)
            watch_ring(loop, true);
        else
            end_by(loop, r);
        return more && !output_is_full(run->out);
    }
    if (run->out->is_terminal || run->options->slow_us)
        push(loop);
    return true;
}

static void no_loop(int err)
{
    (void)err;
    say("cannot watch for events: no memory or descriptors; raise the limits "
        "of them (ulimit -v, -n)");
    exit(EXIT_FAULT);
}

/* Its callers say what has gone wrong. */
static void tell_nothing(int severity, const char *text)
{
    (void)severity;
    (void)text;
}

struct event_base *run_base_new(void)
{
    struct event_base *base;

    event_set_log_callback(tell_nothing);
    event_set_fatal_callback(no_loop);
    base = event_base_new();
    if (!base)
        no_loop(ENOMEM);
    return base;
}

/* --sort and --slow. */
static int open_paces(struct loop *loop)
{
    const struct options *options = loop->run->options;

    loop->pause = evtimer_new(loop->base, on_pause_over, loop);
    loop->release = evtimer_new(loop->base, on_wake, loop);
    if (!loop->pause || !loop->release)
        return -ENOMEM;
    if (!options->sort_ns)
        return 0;
    loop->order = order_new(options->sort_ns, options->format->unordered);
    output_buffer(&loop->unordered, loop->run->out);
    return loop->order ? 0 : -ENOMEM;
}

static int loop_open(struct loop *loop, struct run *run)
{
    struct output *out = run->options->sort_ns ? &loop->unordered : run->out;

    memset(loop, 0, sizeof(*loop));
    loop->run = run;
    loop->ring_fd = -1;
    loop->base = run->base;
    if (open_paces(loop) || taker_open(&loop->taker, run, run->ledger, out))
        return -ENOMEM;
    return loop_watch_for_the_end(loop);
}

static void loop_close(struct loop *loop)
{
    struct event *events[] = {loop->ring_event, loop->output_event,
                              loop->lines_event, loop->pause, loop->release};

    loop_clear_live_line(loop);
    loop_unwatch_the_end(loop);
    taker_close(&loop->taker);
    order_free(loop->order);
    free(loop->unordered.buffer);
    for (unsigned int i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (events[i])
            event_free(events[i]);
}

/* Said if it fails. */
static bool start_workers(struct loop *loop)
{
    if (!loop->run->options->nr_workers)
        return true;
    if (workers_start(loop->run, &loop->workers))
        return false;
    loop->lines_event = event_new(loop->base, workers_fd(loop->workers),
                                  EV_READ | EV_PERSIST, on_wake, loop);
    if (loop->lines_event && event_add(loop->lines_event, NULL) == 0)
        return true;
    say("cannot watch for events: out of memory; raise the limit of it "
        "(ulimit -v)");
    return false;
}

/* Writes lines that were held for long enough, unless the output is full. */
static void release(struct loop *loop)
{
    struct output *out = loop->run->out;
    uint64_t now = clock_ns(), next;
    struct timeval time;

    feed(loop);
    if (output_is_full(out))
        return;
    order_release(loop->order, out, now);
    push(loop);
    next = order_next(loop->order);
    if (next == UINT64_MAX)
        return;
    /* Rounded up, as it would come too early else. */
    next = (next > now ? next - now : 0) / 1000 + 1;
    time.tv_sec = (time_t)(next / 1000000);
    time.tv_usec = (suseconds_t)(next % 1000000);
    event_add(loop->release, &time);
}

/* In a pause, events that can be taken must not wake it up. */
static bool take_or_pause(struct loop *loop)
{
    if (!loop->pausing)
        return take_batch(loop);
    watch_ring(loop, false);
    push(loop);
    return false;
}

static void loop_run(struct loop *loop)
{
    loop->start = loop_now();
    while (!loop->over) {
        bool more = take_or_pause(loop);

        if (loop->order)
            release(loop);
        say_push();
        if (loop->asked)
            loop_show_ledger(loop);
        if (!loop->over &&
            event_base_loop(loop->base, more ? EVLOOP_ONCE | EVLOOP_NONBLOCK
                                             : EVLOOP_ONCE) < 0)
            loop_finish(loop, ENDED_FAULT);
    }
    loop->run->seconds = loop_now() - loop->start;
}

void run_until_end(struct run *run)
{
    struct loop loop;
    int opened;

    run->ending = ENDED_FAULT;
    opened = loop_open(&loop, run);
    early_end();
    if (opened == 0) {
        if (start_workers(&loop))
            loop_run(&loop);
        workers_stop(loop.workers, add_lines, &loop);
        if (loop.order) {
            feed(&loop);
            order_release(loop.order, run->out, UINT64_MAX);
            run->ledger->unordered = order_late(loop.order);
        }
    } else {
        say("cannot watch for events: out of memory; raise the limit of it "
            "(ulimit -v)");
    }
    loop_close(&loop);
}
