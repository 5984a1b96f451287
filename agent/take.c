/* SPDX-License-Identifier: MIT */
/*
 * take.c: one event: judged and answered, counted, filtered, shown.
 */
#include "take.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "output/order.h"

int taker_open(struct taker *taker, struct run *run, struct ledger *ledger,
               struct output *out)
{
    *taker = (struct taker){.run = run,
                            .ledger = ledger,
                            .out = out,
                            .has_start = run->origin.known,
                            .start_ns = run->origin.ns,
                            .start_wall = run->origin.wall};
    if (run->options->times != TIMES_DELTA)
        return 0;
    taker->before = calloc(run->info->nr_lanes, sizeof(*taker->before));
    return taker->before ? 0 : -ENOMEM;
}

void taker_close(struct taker *taker)
{
    free(taker->before);
    taker->before = NULL;
}

void origin_set(struct origin *origin, uint64_t ns)
{
    struct timespec wall;

    clock_gettime(CLOCK_REALTIME, &wall);
    origin->ns = ns;
    origin->wall = (int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec;
}

/* Of several threads' first events, the one that is taken first. */
static void find_start(struct taker *taker, const struct vmring_event *event)
{
    struct origin *origin = &taker->run->origin;

    if (taker->has_start)
        return;
    pthread_mutex_lock(&origin->lock);
    if (!origin->known)
        origin_set(origin, event->rec.time);
    origin->known = taker->has_start = true;
    taker->start_ns = origin->ns;
    taker->start_wall = origin->wall;
    pthread_mutex_unlock(&origin->lock);
}

struct answer take_event(struct taker *taker, const struct vmring_event *event)
{
    const struct run *run = taker->run;
    struct answer answer = {.verdict = NULL};
    enum given given = GIVEN_NONE;

    /* The vCPU waits: this comes before anything is formatted. */
    if (event->seq) {
        answer = answer_request(&run->options->policy, run->ring, taker->worker,
                                event);
        given = answer.late ? GIVEN_LATE : GIVEN_TAKEN;
    }
    ledger_count(taker->ledger, event, given);
    find_start(taker, event);
    return answer;
}

/* The event before is one that was shown, or else the start. */
static int64_t since_before(struct taker *taker,
                            const struct vmring_event *event)
{
    uint64_t *before, last;

    if (!taker->before || event->lane >= taker->run->info->nr_lanes)
        return 0;
    before = &taker->before[event->lane];
    last = *before ? *before : taker->start_ns;
    *before = event->rec.time;
    return (int64_t)(event->rec.time - last);
}

bool count_if_wanted(struct taker *taker, const struct vmring_event *event)
{
    const struct run *run = taker->run;

    if (filter_passes(&run->options->filter, event, run->info->arch)) {
        taker->ledger->passed++;
        if (taker->ledger->summary)
            summary_count(taker->ledger->summary, event, run->info->arch);
        return true;
    }
    taker->ledger->hidden++;
    return false;
}

void show_event(struct taker *taker, const struct vmring_event *event,
                struct answer answer)
{
    const struct options *options = taker->run->options;
    struct line line = {
        .event = event,
        .verdict = answer.verdict,
        .late = answer.late,
        .time = (int64_t)(event->rec.time - taker->start_ns),
        .times = options->times,
        .registers = options->verbose,
        .arch = taker->run->info->arch,
    };
    size_t begun = 0;

    /* The producer's word: it may be anything of 64 bits. */
    line.wall = (int64_t)((uint64_t)taker->start_wall + (uint64_t)line.time);
    line.delta = since_before(taker, event);
    if (options->quiet)
        return;
    if (options->sort_ns)
        begun = order_begin(taker->out);
    options->format->event(taker->out, &line);
    if (options->sort_ns)
        order_end(taker->out, begun, line.time);
}
