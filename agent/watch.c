/* SPDX-License-Identifier: MIT */
/*
 * watch.c: from an attached ring to the ledger, and to the exit status.
 *
 * Whatever fails after it has attached, it detaches in order before it ends.
 */
#include "watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../bridge/exit_status.h"
#include "base/clock.h"
#include "base/early.h"
#include "event/names.h"
#include "ledger/ledger.h"
#include "output/say.h"
#include "run.h"

static const char *ending_name(enum ending ending)
{
    switch (ending) {
    case ENDED_DRAINED:
        return "drained";
    case ENDED_INTERRUPTED:
        return "interrupted";
    case ENDED_LIMIT:
        return "limit";
    case ENDED_PRODUCER:
        return "producer";
    case ENDED_TARGET:
        return "target";
    case ENDED_PEER_LOST:
        return "peer_lost";
    case ENDED_PEER_BROKEN:
        return "peer_broken";
    case ENDED_FAULT:
        break;
    }
    return "fault";
}

static const char *shutdown_name(struct vmring *ring, unsigned int *reason)
{
    const char *name;

    switch (vmring_target_state(ring, reason)) {
    case XEN_VM_RING_TARGET_SHUTDOWN:
        name = name_of_shutdown(*reason);
        return name ? name : "unknown";
    case XEN_VM_RING_TARGET_DESTROYED:
        return "destroyed";
    }
    return NULL;
}

/* One line on how it ended, unless it did as asked; and the status. */
static int tell_ending(const struct run *run, const char *shutdown,
                       unsigned int reason)
{
    const char *target = run->info->target;
    bool suspended = reason == XEN_VM_RING_SHUTDOWN_SUSPEND;
    const char *unchecked =
        run->ledger->no_counts ? ", and the ledger is not checked" : "";

    switch (run->ending) {
    case ENDED_DRAINED:
        return EXIT_AS_ASKED;
    case ENDED_INTERRUPTED:
        say("interrupted while it ended: it leaves without the last events, or "
            "the producer's counts");
        return EXIT_LEDGER;
    case ENDED_LIMIT: /* it has been said */
        return run->unread ? EXIT_OUTPUT : EXIT_LEDGER;
    case ENDED_PRODUCER:
        say("the bridge of %s has ended in order%s; start it again to go on "
            "watching",
            target, unchecked);
        return EXIT_PEER_ENDED;
    case ENDED_TARGET:
        if (!shutdown || !strcmp(shutdown, "destroyed"))
            say("%s was destroyed%s%s; nothing is left to watch", target,
                suspended ? " while it was suspended, as when it is saved "
                            "or migrated"
                          : "",
                unchecked);
        else
            say("%s has shut down (%s)%s; nothing is left to watch", target,
                shutdown, unchecked);
        return EXIT_TARGET_ENDED;
    case ENDED_PEER_LOST:
        if (run->ledger->no_counts == -ETIMEDOUT)
            say("the producer of %s is there, but did not tell its counts in "
                "time; it is stuck, or its bridge is",
                target);
        else if (run->is_from_xen)
            say("the process that calls Xen for this agent has gone, or does "
                "not answer; the ring of %s is kept for the next agent",
                target);
        else
            say("the producer of %s went away; see whether its bridge still "
                "runs",
                target);
        return EXIT_PEER_LOST;
    case ENDED_PEER_BROKEN:
        say("the producer of %s broke the protocol; do not trust it", target);
        return EXIT_PEER_LOST;
    case ENDED_FAULT:
        break;
    }
    return EXIT_FAULT;
}

static void write_ledger(struct outputs *outputs, const struct run *run,
                         const char *shutdown)
{
    const struct report report = {.ledger = run->ledger,
                                  .info = run->info,
                                  .ending = ending_name(run->ending),
                                  .shutdown = shutdown,
                                  .all = run->options->verbose};

    outputs_report(outputs, &report);
}

/* A lost producer outweighs a ledger that differs, and that all else. */
static int status_of(const struct run *run, int ending)
{
    if (ending == EXIT_PEER_LOST || ending == EXIT_FAULT)
        return ending;
    if (run->ledger->result == LEDGER_DIFFERS)
        return EXIT_LEDGER;
    return ending;
}

/* Is nothing proven by what the producer would say, nor waited for? */
static bool is_cut_short(const struct run *run)
{
    return run->ending == ENDED_INTERRUPTED || run->ending == ENDED_LIMIT;
}

int status_with_output(int status, bool is_lost)
{
    return is_lost && (status == EXIT_AS_ASKED || status == EXIT_TARGET_ENDED)
               ? EXIT_OUTPUT
               : status;
}

/* Why it has no counts, where nothing else had gone wrong. */
static enum ending without_counts(const struct run *run)
{
    if (run->ledger->no_counts != -EINTR)
        return ENDED_PEER_LOST;
    if (early_has_come(NULL))
        return ENDED_INTERRUPTED;
    say("not ended within %g s: the producer of %s does not tell its counts; "
        "detaching without them",
        run->options->end_within_ms / 1000.0, run->info->target);
    return ENDED_LIMIT;
}

static int settle(struct run *run, struct endpoint *endpoint)
{
    struct ledger *ledger = run->ledger;
    bool cut = is_cut_short(run);
    int r;

    /* One that had not begun to end has the whole of it from now on. */
    run_limit_end(run);
    endpoint->limit = run->limit;
    r = ledger_fetch(ledger, run->ring, !cut);
    if (!r)
        r = ledger_settle(ledger, cut || run->ending == ENDED_FAULT
                                      ? "it was not drained"
                                      : NULL);
    /* One that cannot tell what it owes has not ended in order. */
    if (r || cut || !ledger->no_counts)
        return r;
    if (ledger->no_counts == -EPROTO)
        run->ending = ENDED_PEER_BROKEN;
    else if (run->ending == ENDED_DRAINED)
        run->ending = without_counts(run);
    return r;
}

/* 0, or -errno after a line. */
static int subscribe(const struct run *run)
{
    char error[256] = "";
    int r = vmring_subscribe(run->ring, run->options->events, NULL, error,
                             sizeof(error));

    if (r >= 0)
        return 0;
    if (r == -EINTR)
        say("ended by a signal before all was armed; nothing of it stays");
    else
        say("%s", error[0] ? error : strerror(-r));
    return r;
}

static int subscribe_status(int error)
{
    if (error == -EINTR)
        return EXIT_AS_ASKED;
    return error == -ENOTSUP ? EXIT_UNSUPPORTED : endpoint_status(error);
}

static void tell_attached(struct run *run)
{
    const struct options *options = run->options;
    const struct vmring_info *info = run->info;

    /* Another clock's origin is its own: then the first event is time 0. */
    run->origin.known = info->clock == XEN_VM_RING_CLOCK_MONOTONIC &&
                        strncmp(options->endpoint, "grant:", 6) != 0;
    if (options->format->attached) {
        const struct attached attached = {.info = info,
                                          .endpoint = options->endpoint,
                                          .events = options->events,
                                          .wall = run->origin.wall,
                                          .ns_known = run->origin.known,
                                          .ns = run->origin.ns};

        options->format->attached(run->out, &attached);
    }
    if (say_is_terminal())
        say("watching %s, %u vCPU%s, for %s; Ctrl-C ends", info->target,
            info->nr_vcpus, info->nr_vcpus == 1 ? "" : "s", options->events);
}

/* Detaches, and writes the ledger.  Returns the status to exit with. */
static int conclude(struct run *run, struct endpoint *endpoint,
                    struct outputs *outputs)
{
    struct ledger *ledger = run->ledger;
    int r = settle(run, endpoint);
    unsigned int reason;
    const char *shutdown;

    ledger->seconds = run->seconds;
    ledger->filtered = run->options->filter.nr;
    shutdown = shutdown_name(endpoint->ring, &reason);
    /* Before the ledger: its reader may keep us waiting. */
    endpoint_detach(endpoint);
    if (is_cut_short(run))
        outputs->limit_ms = OUTPUT_NO_PATIENCE;
    if (r) {
        say_no_memory("the ledger");
    } else {
        write_ledger(outputs, run, shutdown);
        if (ledger->result == LEDGER_DIFFERS)
            say("the ledger does not add up: %s", ledger->why);
    }
    return r ? EXIT_FAULT : status_of(run, tell_ending(run, shutdown, reason));
}

int watch(const struct options *options, struct endpoint *endpoint,
          struct outputs *outputs, struct event_base *base)
{
    struct vmring_info info = {.size = sizeof(info)};
    struct ledger ledger;
    struct run run = {.options = options,
                      .base = base,
                      .ring = endpoint->ring,
                      .info = &info,
                      .is_from_xen = endpoint->is_from_xen,
                      .out = &outputs->sinks[0].out,
                      .ledger = &ledger,
                      .origin = {.lock = PTHREAD_MUTEX_INITIALIZER}};
    int status, r = vmring_get_info(endpoint->ring, &info);

    origin_set(&run.origin, clock_ns());
    if (!r)
        r = ledger_open(&ledger, &info, options->summary);
    if (r) {
        say_no_memory("the ledger");
        endpoint_close(endpoint);
        return EXIT_FAULT;
    }
    r = subscribe(&run);
    if (r) {
        endpoint_close(endpoint);
        ledger_close(&ledger);
        return subscribe_status(r);
    }
    early_hand_over();
    tell_attached(&run);
    run_until_end(&run);
    r = conclude(&run, endpoint, outputs);
    ledger_close(&ledger);
    status = endpoint_close(endpoint);
    /* Of two things gone wrong the bridge's is about the guest. */
    return status ? status : status_with_output(r, endpoint->unwritten);
}
