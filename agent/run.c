/* SPDX-License-Identifier: MIT */
/*
 * run.c: takes events, answers, shows and counts them, until it ends.
 */
#include "run.h"

#include <err.h>
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "take.h"
#include "text.h"
#include "workers.h"

/* Events between two looks at signals and timers. */
#define BATCH 256
/* When to tell what the end waits for, and how often. */
#define SLOW_END_S 5

struct loop {
    struct run *run;
    struct event_base *base;
    struct taker taker;
    struct workers *workers;    /* NULL: this thread takes all */
    struct event *ring_event;   /* the doorbell; NULL before its first use */
    struct event *lines_event;  /* workers have lines */
    struct event *output_event; /* the output takes more */
    struct event *end_timer;    /* -t */
    struct event *tick;         /* the live line */
    struct event *reminder;     /* the end takes long */
    struct event *signals[2];
    int ring_fd;
    bool ring_watched;
    bool ending;  /* in order: the producer was asked to become quiet */
    bool unheard; /* but could not be asked */
    bool over;
    bool failed;     /* the output has, and it was said */
    bool live;       /* there is a live line on the terminal now */
    uint64_t events; /* handed over so far */
    double start;
    uint64_t tick_events; /* and when, as of the live line */
    double tick_time;
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void clear_live_line(struct loop *loop)
{
    if (loop->live)
        fprintf(stderr, "\r\033[K");
    loop->live = false;
}

static void finish(struct loop *loop, enum ending ending)
{
    loop->run->ending = ending;
    loop->over = true;
}

/* No more new events, please; those on their way are still answered. */
static void begin_ending(struct loop *loop)
{
    const struct timeval wait = {.tv_sec = SLOW_END_S};

    if (loop->ending)
        return;
    loop->ending = true;
    /* One may be there even so: over grant:, where xenstore is lost. */
    loop->unheard = vmring_quiesce(loop->run->ring) == -ECONNRESET;
    if (loop->reminder)
        event_add(loop->reminder, &wait);
}

static void on_signal(evutil_socket_t signal, short what, void *ctx)
{
    struct loop *loop = ctx;

    (void)signal;
    (void)what;
    if (loop->ending)
        finish(loop, ENDED_INTERRUPTED);
    begin_ending(loop);
}

static void on_end_timer(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    begin_ending(ctx);
}

/* The loop's body looks at everything: that it wakes up is enough. */
static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    (void)ctx;
}

static void on_reminder(evutil_socket_t fd, short what, void *ctx)
{
    struct loop *loop = ctx;
    unsigned int state =
        (unsigned int)vmring_target_state(loop->run->ring, NULL);

    (void)fd;
    (void)what;
    clear_live_line(loop);
    if (output_is_full(loop->run->out))
        warnx("not ended yet: nobody reads %s; Ctrl-C gives up",
              loop->run->out->name);
    else if (state == XEN_VM_RING_TARGET_PAUSED)
        warnx("not ended yet: %s is paused, with events on their way; "
              "unpause it, or Ctrl-C gives up",
              loop->run->info->target);
    else if (state == XEN_VM_RING_TARGET_SHUTDOWN)
        warnx("not ended yet: %s is suspended, with events on their way; "
              "Ctrl-C gives up",
              loop->run->info->target);
    else
        warnx("not ended yet: %s still has events on their way; Ctrl-C gives "
              "up",
              loop->run->info->target);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
    struct loop *loop = ctx;
    struct vmring_lane_count *lanes;
    double time = now() - loop->start;
    uint64_t lost = 0;
    int nr = vmring_lane_counts(loop->run->ring, &lanes);

    (void)fd;
    (void)what;
    for (int i = 0; i < nr; i++)
        lost += lanes[i].lost;
    if (nr >= 0)
        free(lanes);
    fprintf(
        stderr, "\r\033[K%7.1f s  %" PRIu64 " events  %.0f/s  %" PRIu64 " lost",
        time, loop->events,
        (double)(loop->events - loop->tick_events) / (time - loop->tick_time),
        lost);
    loop->live = true;
    loop->tick_events = loop->events;
    loop->tick_time = time;
}

static void show_target(struct loop *loop, const struct vmring_event *event)
{
    struct run *run = loop->run;

    if (run->options->quiet)
        return;
    if (run->options->format == FORMAT_JSON)
        json_target(run->out, event);
    else
        text_target(run->out, event);
}

static void take(struct loop *loop, const struct vmring_event *event)
{
    const struct options *options = loop->run->options;
    struct taken taken = take_event(&loop->taker, event);

    loop->events++;
    /* Those after -n COUNT are answered and counted, but not shown. */
    if (!options->count || loop->events <= options->count)
        show_event(&loop->taker, event, taken);
    if (loop->events == options->count)
        begin_ending(loop);
    if (options->slow_us)
        usleep(options->slow_us);
}

/* What a worker has taken. */
static void add_lines(void *ctx, struct lines *lines)
{
    struct loop *loop = ctx;
    struct output *out = loop->run->out;
    uint64_t count = loop->run->options->count, shown = lines->events;

    if (count && loop->events + shown > count)
        shown = loop->events < count ? count - loop->events : 0;
    if (lines_len(lines, shown)) /* else there may be no buffer */
        output_bytes(out, lines->out.buffer, lines_len(lines, shown));
    if (lines->out.error && !out->error)
        out->error = lines->out.error;
    loop->events += lines->events;
    if (count && loop->events >= count && !loop->over)
        begin_ending(loop);
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
        clear_live_line(loop);
        warnx("%s: %s; events are no longer written, detaching", out->name,
              strerror(out->error));
        begin_ending(loop);
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

/* What workers have handed over stays readable until it is collected. */
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
        finish(loop, ENDED_DRAINED);
        break;
    case -ESRCH:
        finish(loop, ENDED_TARGET);
        break;
    case -ECONNRESET:
        finish(loop, ENDED_PEER_LOST);
        break;
    default:
        finish(loop, ENDED_PEER_BROKEN);
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

static struct timeval timeval_of(double seconds)
{
    struct timeval t;

    t.tv_sec = (time_t)seconds;
    t.tv_usec = (suseconds_t)((seconds - floor(seconds)) * 1e6);
    return t;
}

static int loop_open(struct loop *loop, struct run *run)
{
    static const int signals[] = {SIGINT, SIGTERM};
    const struct options *options = run->options;
    const struct timeval second = {.tv_sec = 1};
    struct timeval limit;

    memset(loop, 0, sizeof(*loop));
    loop->run = run;
    loop->ring_fd = -1;
    loop->taker = (struct taker){.run = run,
                                 .ledger = run->ledger,
                                 .out = run->out,
                                 .has_start = run->origin.known,
                                 .start_ns = run->origin.ns};
    loop->base = event_base_new();
    if (!loop->base)
        return -ENOMEM;
    for (unsigned int i = 0; i < 2; i++) {
        loop->signals[i] =
            evsignal_new(loop->base, signals[i], on_signal, loop);
        if (!loop->signals[i] || event_add(loop->signals[i], NULL) < 0)
            return -ENOMEM;
    }
    loop->reminder = event_new(loop->base, -1, EV_PERSIST, on_reminder, loop);
    loop->end_timer = evtimer_new(loop->base, on_end_timer, loop);
    loop->tick = event_new(loop->base, -1, EV_PERSIST, on_tick, loop);
    if (!loop->reminder || !loop->end_timer || !loop->tick)
        return -ENOMEM;
    if (options->seconds > 0) {
        limit = timeval_of(options->seconds);
        event_add(loop->end_timer, &limit);
    }
    /* Where events scroll by, or nobody looks, it would only disturb. */
    if ((options->quiet || options->output) && isatty(STDERR_FILENO))
        event_add(loop->tick, &second);
    return 0;
}

static void loop_close(struct loop *loop)
{
    struct event *events[] = {loop->ring_event, loop->output_event,
                              loop->end_timer,  loop->tick,
                              loop->reminder,   loop->signals[0],
                              loop->signals[1], loop->lines_event};

    clear_live_line(loop);
    for (unsigned int i = 0; i < sizeof(events) / sizeof(struct event *); i++)
        if (events[i])
            event_free(events[i]);
    if (loop->base)
        event_base_free(loop->base);
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
    warnx("cannot watch for events: out of memory");
    return false;
}

static void loop_run(struct loop *loop)
{
    loop->start = now();
    while (!loop->over) {
        bool more = take_batch(loop);

        if (!loop->over &&
            event_base_loop(loop->base, more ? EVLOOP_ONCE | EVLOOP_NONBLOCK
                                             : EVLOOP_ONCE) < 0)
            finish(loop, ENDED_FAULT);
    }
    loop->run->seconds = now() - loop->start;
}

void run_until_end(struct run *run)
{
    struct loop loop;

    run->ending = ENDED_FAULT;
    if (loop_open(&loop, run) == 0) {
        if (start_workers(&loop))
            loop_run(&loop);
        workers_stop(loop.workers, add_lines, &loop);
    } else {
        warnx("cannot watch for events: out of memory");
    }
    loop_close(&loop);
}
