/* SPDX-License-Identifier: MIT */
/*
 * peer_lttng.c: LTTng-UST.  What a record is delivered to is a file in memory:
 * LTTng's consumer daemon, on the consumer's CPU, writes each sub-buffer that
 * is full out, and a run has ended when it has written all.  What counts are
 * the records of that file, read back after the run.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lttng.h"
#include "tables.h"

/* One for all runs; why there is none. */
static struct lttng_room room;
static bool is_open, is_closed;
static char why_closed[200];

static void leave(void)
{
    if (is_open)
        lttng_room_close(&room, is_closed);
    is_open = false;
}

/* For good: no other run needs to try. */
static void shut(const char *why)
{
    snprintf(why_closed, sizeof(why_closed), "%s", why);
    is_closed = true;
    leave();
}

static bool enter(const struct bench_env *env)
{
    if (is_open || is_closed)
        return is_open;
    is_open = lttng_room_open(&room, env->cpus, why_closed, sizeof(why_closed));
    is_closed = !is_open;
    if (is_open) {
        signal(SIGPIPE, SIG_IGN);
        atexit(leave);
    }
    return is_open;
}

/* What a run and its trace never take, be the machine as busy as it may. */
#define PATIENCE_MS 120000

/* false: what is in the room has ended or hangs. */
static bool order_run(const struct lttng_order *order,
                      struct lttng_answer *answer)
{
    struct pollfd answered = {.fd = room.out, .events = POLLIN};

    (void)!write(room.in, order, sizeof(*order));
    return poll(&answered, 1, PATIENCE_MS) == 1 &&
           read(room.out, answer, sizeof(*answer)) == sizeof(*answer);
}

static enum bench_result judge(const struct lttng_answer *answer,
                               bool overwrite, struct bench_sample *sample)
{
    double attempted = (double)answer->attempted;

    if (answer->wrong)
        return bench_failed(sample, "%llu records are torn or out of order",
                            (unsigned long long)answer->wrong);
    if (!overwrite &&
        answer->delivered + answer->discarded != answer->attempted)
        return bench_failed(sample,
                            "%llu recorded, %llu delivered, %llu discarded",
                            (unsigned long long)answer->attempted,
                            (unsigned long long)answer->delivered,
                            (unsigned long long)answer->discarded);
    if (!answer->delivered)
        return bench_failed(sample, "the trace is empty");
    sample->value = (double)answer->delivered * 1e9 / (double)answer->run_ns;
    bench_extra(sample, "lost_percent",
                100.0 * (attempted - (double)answer->delivered) / attempted);
    bench_extra(sample, "ns_per_attempt", (double)answer->busy_ns / attempted);
    bench_extra(sample, "run_ms", (double)answer->run_ns / 1e6);
    bench_extra(sample, "stop_ms", (double)answer->stop_ns / 1e6);
    return BENCH_OK;
}

static enum bench_result run_lttng(const struct bench_case *self,
                                   const struct bench_env *env,
                                   struct bench_sample *sample)
{
    const bool *overwrite = self->arg;
    struct lttng_order order;
    struct lttng_answer answer;

    if (!enter(env))
        return bench_skip(sample, "%s", why_closed);
    memset(&order, 0, sizeof(order));
    order.plan = (struct queue_plan){
        .len = self->len,
        .batch = self->batch,
        .producers = self->producers,
    };
    order.run_ns = env->run_ns;
    memcpy(order.cpus, env->cpus, sizeof(order.cpus));
    order.overwrite = *overwrite;
    if (!order_run(&order, &answer)) {
        shut("bench_lttng has ended, or hangs");
        return bench_failed(sample, "%s", why_closed);
    }
    if (answer.result == BENCH_OK)
        return judge(&answer, *overwrite, sample);
    strcpy(sample->why, answer.why);
    if (answer.is_last)
        shut(answer.why);
    return answer.result;
}

static const bool discard = false, overwrite = true;

#define LTTNG(group, label, what, len, batch, nr, mode)                        \
    {                                                                          \
        group, label, "records/s", what, run_lttng, 0, len, batch, nr, false,  \
            &(mode)                                                            \
    }

#define LTTNG_ALL(label, what, mode)                                           \
    LTTNG("async-64-1", label, what, 64, 1, 1, mode),                          \
        LTTNG("async-64-32", label, what, 64, 32, 1, mode),                    \
        LTTNG("async-408-1", label, what, 408, 1, 1, mode),                    \
        LTTNG("async-408-32", label, what, 408, 32, 1, mode),                  \
        LTTNG("producers-1", label, what, 64, 32, 1, mode),                    \
        LTTNG("producers-2", label, what, 64, 32, 2, mode),                    \
        LTTNG("producers-4", label, what, 64, 32, 4, mode),                    \
        LTTNG("producers-8", label, what, 64, 32, 8, mode),                    \
        LTTNG("producers-16", label, what, 64, 32, 16, mode)

static const struct bench_case cases[] = {
    LTTNG_ALL("LTTng-UST", "discard mode, written to a file by its daemon",
              discard),
    LTTNG_ALL("LTTng-UST overwrite",
              "overwrite mode, written to a file by its daemon", overwrite),
};

const struct bench_table peer_lttng_cases = {cases,
                                             sizeof(cases) / sizeof(cases[0])};
