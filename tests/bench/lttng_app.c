/* SPDX-License-Identifier: MIT */
/*
 * lttng_app.c: bench_lttng, the traced program of a run, and who sets up its
 * session.  Orders come from standard input, answers go to standard output;
 * at the end of the input it ends.
 */
#include "lttng.h"

#include <ftw.h>
#include <lttng/lttng.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lttng_provider.h"

#define CHANNEL "records"

/*
 * A session and a folder of its own for each run: what has been destroyed
 * lingers.
 */
static char session[32], folder[64], url[64];

static void name_session(void)
{
    static unsigned serial;

    snprintf(session, sizeof(session), "run-%u", ++serial);
    snprintf(folder, sizeof(folder), "/dev/shm/run-%u", serial);
    snprintf(url, sizeof(url), "file:///dev/shm/run-%u", serial);
}

static enum bench_result refuse(struct lttng_answer *answer,
                                enum bench_result result, const char *format,
                                ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(answer->why, sizeof(answer->why), format, args);
    va_end(args);
    return result;
}

/* Nothing says whether it was accepted; the trace does. */
static inline size_t trace(void *queue, uint32_t who,
                           const unsigned char *records, size_t nr, size_t len)
{
    (void)queue;
    (void)who;
    for (size_t i = 0; i < nr; i++) {
        const uint64_t *words = (const void *)(records + i * len);

        if (len == QUEUE_SMALL)
            lttng_ust_tracepoint(vmring_bench, small, words);
        else
            lttng_ust_tracepoint(vmring_bench, whole, words);
    }
    return nr;
}

static const struct queue_ops trace_ops = {.push = trace};

static void produce(void *side)
{
    struct queue_side *mine = side;

    if (mine->run->plan.len == QUEUE_SMALL)
        queue_produce(mine, &trace_ops, QUEUE_SMALL);
    else
        queue_produce(mine, &trace_ops, QUEUE_WHOLE);
}

/* The first tracepoint's moment; when all producers have ended is now. */
static uint64_t work(const struct lttng_order *order, struct queue_run *run,
                     struct lttng_answer *answer)
{
    struct queue_side sides[QUEUE_MAX_PRODUCERS];
    struct bench_worker workers[QUEUE_MAX_PRODUCERS];
    uint64_t began = UINT64_MAX;

    run->plan = order->plan;
    run->run_ns = order->run_ns;
    run->start.nr = order->plan.producers;
    for (uint32_t i = 0; i < order->plan.producers; i++) {
        sides[i] = (struct queue_side){run, i};
        bench_start(&workers[i], false, order->cpus[0], produce, &sides[i]);
    }
    for (uint32_t i = 0; i < order->plan.producers; i++)
        (void)bench_join(&workers[i]);
    for (uint32_t i = 0; i < order->plan.producers; i++) {
        const struct queue_producer *one = &run->producers[i];

        answer->attempted += one->attempted;
        answer->busy_ns += one->ended - one->began;
        if (one->began < began)
            began = one->began;
    }
    return began;
}

/* The ring's bytes are those of everybody else, in LTTng's default of four. */
static int add_channel(struct lttng_handle *handle, struct lttng_domain *domain,
                       const struct lttng_order *order)
{
    struct lttng_channel *channel = lttng_channel_create(domain);
    int err;

    if (!channel)
        return -LTTNG_ERR_NOMEM;
    strcpy(channel->name, CHANNEL);
    channel->attr.overwrite = order->overwrite;
    channel->attr.num_subbuf = 4;
    channel->attr.subbuf_size = QUEUE_BYTES / 4;
    channel->attr.switch_timer_interval = 0;
    err = lttng_enable_channel(handle, channel);
    lttng_channel_destroy(channel);
    return err;
}

static int add_event(struct lttng_handle *handle)
{
    struct lttng_event *event = lttng_event_create();
    int err;

    if (!event)
        return -LTTNG_ERR_NOMEM;
    event->type = LTTNG_EVENT_TRACEPOINT;
    event->loglevel_type = LTTNG_EVENT_LOGLEVEL_ALL;
    strcpy(event->name, "vmring_bench:*");
    err = lttng_enable_event(handle, event, CHANNEL);
    lttng_event_destroy(event);
    return err;
}

static int begin_session(struct lttng_handle **handle,
                         struct lttng_domain *domain,
                         const struct lttng_order *order)
{
    int err = lttng_create_session(session, url);

    if (err)
        return err;
    *handle = lttng_create_handle(session, domain);
    if (!*handle)
        return -LTTNG_ERR_NOMEM;
    err = add_channel(*handle, domain, order);
    if (!err)
        err = add_event(*handle);
    if (!err)
        err = lttng_start_tracing(session);
    /*
     * The first stop writes the metadata, for which LTTng's consumer often
     * sleeps 200 ms: a run is timed until the second one.
     */
    if (err >= 0)
        err = lttng_stop_tracing_no_wait(session);
    if (err >= 0)
        err = lttng_start_tracing(session);
    return err < 0 ? err : 0;
}

/* Everything recorded is in the file when this ends. */
static bool end_tracing(void)
{
    int pending;

    if (lttng_stop_tracing_no_wait(session) < 0)
        return false;
    do
        pending = lttng_data_pending(session);
    while (pending == 1);
    return pending == 0;
}

/*
 * With several producers LTTng takes its counter, now and then, for one that
 * has wrapped: the count is the right one and 2^63.
 */
#define COUNT_MASK (UINT64_MAX >> 1)

static void ask_discarded(struct lttng_handle *handle,
                          struct lttng_answer *answer)
{
    struct lttng_channel *channels;
    int nr = lttng_list_channels(handle, &channels);

    for (int i = 0; i < nr; i++)
        if (!strcmp(channels[i].name, CHANNEL))
            (void)lttng_channel_get_discarded_event_count(&channels[i],
                                                          &answer->discarded);
    answer->discarded &= COUNT_MASK;
    if (nr > 0)
        free(channels);
}

static int forget(const char *path, const struct stat *is, int type,
                  struct FTW *at)
{
    (void)is;
    (void)type;
    (void)at;
    return remove(path);
}

static enum bench_result measure(const struct lttng_order *order,
                                 struct lttng_handle *handle,
                                 struct lttng_answer *answer)
{
    struct queue_run *run = bench_map(sizeof(*run));
    struct lttng_counted counted;
    uint64_t began, stopped;
    bool ended;

    if (!run)
        return refuse(answer, BENCH_SKIP, "no memory");
    began = work(order, run, answer);
    bench_unmap(run, sizeof(*run));
    stopped = bench_now();
    ended = end_tracing();
    answer->run_ns = bench_now() - began;
    answer->stop_ns = bench_now() - stopped;
    if (!ended)
        return refuse(answer, BENCH_FAILED, "the session cannot be stopped");
    ask_discarded(handle, answer);
    if (!lttng_trace_count(folder, order->plan.len, &counted))
        return refuse(answer, BENCH_FAILED, "the trace cannot be read back");
    answer->delivered = counted.delivered;
    answer->wrong = counted.wrong;
    return BENCH_OK;
}

static void serve(const struct lttng_order *order, struct lttng_answer *answer)
{
    struct lttng_domain domain = {.type = LTTNG_DOMAIN_UST,
                                  .buf_type = LTTNG_BUFFER_PER_UID};
    struct lttng_handle *handle = NULL;
    int err;

    name_session();
    err = begin_session(&handle, &domain, order);
    if (err)
        answer->result = refuse(answer, BENCH_SKIP, "no session of LTTng's: %s",
                                lttng_strerror(err));
    else if (!lttng_ust_tracepoint_enabled(vmring_bench, small))
        answer->result =
            refuse(answer, BENCH_SKIP, "LTTng has not enabled the tracepoint");
    else
        answer->result = measure(order, handle, answer);
    lttng_destroy_handle(handle);
    /* That it has written all is known; destroying takes half a second. */
    (void)lttng_destroy_session_no_wait(session);
    (void)nftw(folder, forget, 16, FTW_PHYS | FTW_DEPTH);
}

int main(void)
{
    struct lttng_order order;

    while (read(STDIN_FILENO, &order, sizeof(order)) == sizeof(order)) {
        struct lttng_answer answer = {.delivered = 0};

        serve(&order, &answer);
        if (write(STDOUT_FILENO, &answer, sizeof(answer)) != sizeof(answer))
            return 1;
    }
    return 0;
}
