/* SPDX-License-Identifier: MIT */
/*
 * take.c: one event: judged, answered, counted, shown, in this order.
 */
#include "take.h"

#include <errno.h>

#include "json.h"
#include "text.h"

static int respond(struct taker *taker, const struct vmring_event *event,
                   const struct xen_vm_ring_response *response)
{
    if (taker->worker)
        return vmring_worker_respond(taker->worker, event, response);
    return vmring_respond(taker->run->ring, event, response);
}

/* The vCPU waits: this comes before anything is formatted. */
static struct taken answer(struct taker *taker,
                           const struct vmring_event *event)
{
    struct xen_vm_ring_response response;
    struct taken taken = {
        .verdict = policy_judge(&taker->run->options->policy, event, &response),
    };
    int r = respond(taker, event, &response);

    if (r == -EINVAL || r == -EPERM) {
        /* The rule does not fit this event; it must not hold the vCPU. */
        vmring_neutral(event, &response);
        taken.verdict = "neutral";
        r = respond(taker, event, &response);
    }
    if (taker->worker)
        vmring_worker_flush(taker->worker);
    else
        vmring_flush(taker->run->ring);
    taken.given = r < 0 ? GIVEN_LATE : GIVEN_TAKEN;
    return taken;
}

/* Of several threads' first events, the one that is taken first. */
static void find_start(struct taker *taker, const struct vmring_event *event)
{
    struct origin *origin = &taker->run->origin;

    if (taker->has_start)
        return;
    pthread_mutex_lock(&origin->lock);
    if (!origin->known)
        origin->ns = event->rec.time;
    origin->known = taker->has_start = true;
    taker->start_ns = origin->ns;
    pthread_mutex_unlock(&origin->lock);
}

struct taken take_event(struct taker *taker, const struct vmring_event *event)
{
    struct taken taken = {NULL, GIVEN_NONE};

    if (event->seq)
        taken = answer(taker, event);
    ledger_count(taker->ledger, event, taken.given);
    find_start(taker, event);
    return taken;
}

void show_event(struct taker *taker, const struct vmring_event *event,
                struct taken taken)
{
    const struct options *options = taker->run->options;
    struct line line = {
        .event = event,
        .verdict = taken.verdict,
        .late = taken.given == GIVEN_LATE,
        .time = (int64_t)(event->rec.time - taker->start_ns),
        .registers = options->verbose,
        .arch = taker->run->info->arch,
    };

    if (options->quiet)
        return;
    if (options->format == FORMAT_JSON)
        json_event(taker->out, &line);
    else
        text_event(taker->out, &line);
}
