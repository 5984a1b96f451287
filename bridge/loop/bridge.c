/* SPDX-License-Identifier: MIT */
/*
 * bridge.c: the loop between a source and its producer.
 *
 * Serving, until a signal, the target's end or, with --once, the consumer's;
 * then telling a consumer that it is over, and waiting until it has taken what
 * is left and fetched its counts; then ending, in the order that leaves the
 * target unharmed (source.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "../../libvmring/base/clock.h"
#include "../../terminal/visible.h"
#include "../domain.h"
#include "../exit_status.h"
#include "../limits.h"
#include "../log.h"
#include "../sandbox.h"
#include "state.h"

/* Between two looks while ending. */
#define ENDING_MS 5
/* Verdicts carried out in a row before the descriptors are looked at. */
#define MAX_VERDICTS 1024

/* ------------------------------------------------------------- phases -- */

static void drained(void *ctx, const struct vmring_verdict *verdict)
{
    struct bridge *bridge = ctx;

    report_drained(&bridge->report, verdict);
    bridge->ops->verdict(bridge->source, verdict);
    /* Its vCPU need not wait for a ring's memory to be given back. */
    bridge->ops->flush(bridge->source);
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
    bridge_disarm(bridge);
    bridge->ops->run(bridge->source);
    vmring_producer_flush(bridge->producer);
    report_take(&bridge->report, bridge->producer);
    bridge_drop_event(&bridge->producer_event);
    vmring_producer_close(bridge->producer, drained, bridge);
    bridge->producer = NULL;
    bridge->ops->start(bridge->source, NULL);
    bridge->ops->flush(bridge->source);
}

/* Saved or migrated: it goes on, or is destroyed, and that is the end. */
static bool is_suspended(unsigned int state, unsigned int reason)
{
    return state == XEN_VM_RING_TARGET_SHUTDOWN &&
           reason == XEN_VM_RING_SHUTDOWN_SUSPEND;
}

static void begin_telling(struct bridge *bridge, int status)
{
    bridge->phase = TELLING;
    bridge->status = status;
    bridge->tell_until =
        clock_ms() + (int64_t)bridge->options->farewell_s * 1000;
}

/* The consumer is to end; true: it has, or its time is over. */
static bool has_told(const struct bridge *bridge)
{
    if (!vmring_producer_attached(bridge->producer) || bridge->serves_none)
        return true;
    if (clock_ms() < bridge->tell_until)
        return false;
    bridge_log(LOG_WARNING,
               "hanging up on a consumer that has not detached within %u s; a "
               "slow one needs a longer --farewell",
               bridge->options->farewell_s);
    return true;
}

static void follow_target(struct bridge *bridge)
{
    unsigned int reason = 0;
    unsigned int state = bridge->ops->target_state(bridge->source, &reason);
    bool was_suspended;

    if (state == bridge->target_state && reason == bridge->target_reason)
        return;
    was_suspended = is_suspended(bridge->target_state, bridge->target_reason);
    bridge->target_state = state;
    bridge->target_reason = reason;
    vmring_producer_set_target_state(bridge->producer, state, reason);
    if (is_suspended(state, reason)) {
        bridge_log(LOG_NOTICE,
                   "%s is suspended, to be saved or migrated; waiting until it "
                   "goes on or is destroyed",
                   bridge->info.name);
        return;
    }
    if (state != XEN_VM_RING_TARGET_SHUTDOWN &&
        state != XEN_VM_RING_TARGET_DESTROYED) {
        if (was_suspended)
            bridge_log(LOG_NOTICE, "%s goes on", bridge->info.name);
        return;
    }
    if (bridge->phase == TELLING)
        return; /* first shut down, then destroyed: one end */
    if (state == XEN_VM_RING_TARGET_DESTROYED)
        bridge_log(LOG_NOTICE, "%s was destroyed; ending", bridge->info.name);
    else
        bridge_log(LOG_NOTICE, "%s has %s; ending", bridge->info.name,
                   domain_shutdown_name(reason));
    begin_telling(bridge, EXIT_TARGET_ENDED);
}

static void follow_consumer(struct bridge *bridge, int nr_verdicts)
{
    const struct bridge_options *options = bridge->options;

    /* More may be on their way: what is pending does not tell yet. */
    if (nr_verdicts == MAX_VERDICTS)
        return;

    if (vmring_producer_attached(bridge->producer)) {
        bridge->gone = false;
        bridge->linger_until = 0;
        return;
    }
    if (bridge->gone) {
        bridge->gone = false;
        if (bridge->nr_armed || vmring_producer_pending(bridge->producer)) {
            bridge_log(
                LOG_WARNING,
                "the consumer went without detaching; a successor has %u "
                "s to take over what is armed and pending",
                bridge->serves_none ? 0 : options->linger_s);
            bridge->linger_until =
                clock_ms() + (int64_t)options->linger_s * 1000 + 1;
        } else if (options->once) {
            begin_end(bridge, EXIT_AS_ASKED);
            return;
        }
    }
    if (bridge->serves_none) {
        begin_end(bridge, EXIT_AS_ASKED);
    } else if (bridge->linger_until && clock_ms() >= bridge->linger_until) {
        bridge->linger_until = 0;
        bridge_log(LOG_NOTICE, "no other consumer came; disarming its events");
        bridge_disarm(bridge);
        vmring_producer_release(bridge->producer);
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
    int64_t left = moment - clock_ms();

    return left > 0 ? (int)left : 0;
}

/* Returns their number. */
static int carry_out_verdicts(struct bridge *bridge)
{
    struct vmring_verdict verdict;
    int nr = 0;

    while (nr < MAX_VERDICTS &&
           vmring_producer_collect(bridge->producer, &verdict) == 1) {
        bridge->ops->verdict(bridge->source, &verdict);
        nr++;
    }
    bridge->ops->flush(bridge->source);
    return nr;
}

/* Returns the ms until the next turn, or SOURCE_WAIT. */
static int serving_turn(struct bridge *bridge)
{
    int due, ring_due, nr_verdicts;

    if (bridge->dispatch) {
        bridge->dispatch = false;
        if (vmring_producer_dispatch(bridge->producer) == -EBADF)
            bridge->serves_none = true;
    }
    turns_did(&bridge->turns, TURN_PEERS);
    due = bridge->ops->run(bridge->source);
    turns_did(&bridge->turns, TURN_SOURCE);
    if (due == SOURCE_BROKEN) {
        begin_end(bridge, EXIT_FAULT);
        return 0;
    }
    /* Before a consumer hears of its events that they cannot be armed. */
    follow_target(bridge);
    turns_did(&bridge->turns, TURN_TARGET);
    /* A vCPU that goes on may have something to raise at once. */
    nr_verdicts = carry_out_verdicts(bridge);
    if (nr_verdicts > 0)
        due = 0;
    vmring_producer_flush(bridge->producer);
    turns_did(&bridge->turns, TURN_VERDICTS);

    if (bridge->phase == SERVING)
        follow_consumer(bridge, nr_verdicts);
    else if (bridge->phase == TELLING && has_told(bridge))
        begin_end(bridge, bridge->status);
    if (bridge->phase == ENDING)
        return 0;

    ring_due = vmring_producer_timeout(bridge->producer);
    /* No descriptor tells that nobody can come any more. */
    if (ring_due == 0)
        bridge->dispatch = true;
    due = sooner(due, ring_due);
    if (bridge->linger_until)
        due = sooner(due, until(bridge->linger_until));
    if (bridge->phase == TELLING)
        due = sooner(due, until(bridge->tell_until));
    return due;
}

static int ending_turn(struct bridge *bridge)
{
    int due = bridge->ops->run(bridge->source);

    bridge->ops->flush(bridge->source);
    if (bridge->ops->end(bridge->source, bridge->nr_signals > 1))
        bridge->phase = OVER;
    return due >= 0 && due < ENDING_MS ? due : ENDING_MS;
}

static void sleep_until_due(struct bridge *bridge, int due)
{
    struct timeval wait = {due / 1000, due % 1000 * 1000L};

    if (due >= 0)
        event_add(bridge->timer, &wait);
    else
        event_del(bridge->timer);
    event_base_loop(bridge->base, EVLOOP_ONCE);
}

/* Returns the ms until the next, or SOURCE_WAIT. */
static int turn(struct bridge *bridge)
{
    bool ending = bridge->phase == ENDING;
    int due;

    due = ending ? ending_turn(bridge) : serving_turn(bridge);
    turns_did(&bridge->turns,
              ending || bridge->phase == ENDING ? TURN_ENDING : TURN_TARGET);
    turns_end(&bridge->turns);
    return due;
}

/*
 * The first lets a consumer end in order, another does not wait for it; only
 * one more gives up leaving the target as found.
 */
static void heed_signals(struct bridge *bridge)
{
    if (!bridge->nr_signals || bridge->phase == ENDING)
        return;
    if (bridge->phase == SERVING && bridge->nr_signals == 1 &&
        bridge->options->farewell_s &&
        vmring_producer_attached(bridge->producer)) {
        bridge_log(LOG_INFO, "a signal; the consumer is to end");
        bridge->nr_signals = 0;
        vmring_producer_dismiss(bridge->producer);
        bridge->nr_armed = 0;
        begin_telling(bridge, EXIT_AS_ASKED);
        return;
    }
    bridge_log(LOG_INFO, "a signal; ending");
    begin_end(bridge,
              bridge->phase == TELLING ? bridge->status : EXIT_AS_ASKED);
    bridge->nr_signals = 1;
}

static void loop(struct bridge *bridge)
{
    while (bridge->phase != OVER) {
        turns_begin(&bridge->turns);
        heed_signals(bridge);
        sleep_until_due(bridge, turn(bridge));
    }
}

static int no_statistics(const struct bridge_options *options, int error)
{
    bridge_log(LOG_ERR, "cannot write the statistics to %s: %s%s",
               options->stats, strerror(error),
               error == ENOENT ? "; create its folder, or name another file"
                               : "; name a file that can be written");
    return EXIT_OUTPUT;
}

/* One that was closed is a file that takes nothing (main.c). */
static int own_standard_output(void)
{
    if ((fcntl(STDOUT_FILENO, F_GETFL) & O_ACCMODE) != O_RDONLY)
        return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    errno = EBADF;
    return -1;
}

/* Now: at the end no file can be opened. */
static int open_statistics(struct bridge *bridge)
{
    const char *file = bridge->options->stats;

    if (!file)
        return 0;
    if (strcmp(file, "-") == 0)
        bridge->stats = own_standard_output();
    else
        bridge->stats = open(file,
                             O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
                                 O_NONBLOCK | O_NOCTTY,
                             0666);
    return bridge->stats < 0 ? no_statistics(bridge->options, errno) : 0;
}

static int write_statistics(struct bridge *bridge)
{
    const struct bridge_options *options = bridge->options;
    struct json_object *object = json_object_new_object();
    char name[VISIBLE_ROOM(sizeof(bridge->info.name))];
    int error = 0;

    visible(name, sizeof(name), bridge->info.name);
    /* Another when a key goes or changes; not for new keys. */
    json_object_object_add(object, "version", json_object_new_int(1));
    json_object_object_add(object, "target", json_object_new_string(name));
    json_object_object_add(object, "vcpus",
                           json_object_new_uint64(bridge->info.nr_vcpus));
    report_json(&bridge->report, object);
    turns_json(&bridge->turns, object);
    if (!options->quiet) {
        report_print(&bridge->report);
        turns_print(&bridge->turns);
    }
    bridge->ops->stats(bridge->source, object);
    if (bridge->stats >= 0)
        error = report_write(object, bridge->stats);
    json_object_put(object);
    return error < 0 ? no_statistics(options, -error) : 0;
}

static int open_source(struct bridge *bridge)
{
    const struct bridge_options *options = bridge->options;
    struct source_start start = {.target = options->target,
                                 .agents = bridge->agents,
                                 .wait_s = options->wait_s,
                                 .shares = options->shares};
    int status = bridge->ops->open(&start, &bridge->source);

    if (!status)
        bridge->ops->describe(bridge->source, &bridge->info);
    if (status != SOURCE_SHARED)
        return status;
    snprintf(bridge->socket, sizeof(bridge->socket), "%.*s",
             (int)sizeof(bridge->socket) - 1, start.other + strlen("local:"));
    bridge_tell_ready(bridge);
    return status;
}

/* Nothing was armed, so there is nothing to come down from. */
static void abandon(struct bridge *bridge)
{
    bridge->ops->start(bridge->source, NULL);
    while (!bridge->ops->end(bridge->source, false))
        usleep(ENDING_MS * 1000);
    bridge_drop_event(&bridge->producer_event);
    vmring_producer_close(bridge->producer, NULL, NULL);
}

static int enter_sandbox(struct bridge *bridge)
{
    const char *socket = bridge->options->to ? "" : bridge->socket;

    /* A folder outside of the root would be a way out of it. */
    if (bridge->ops->confine && bridge_sandbox_confines(socket))
        bridge->ops->confine(bridge->source);
    return bridge_sandbox_enter(socket);
}

static int serve_until_the_end(struct bridge *bridge)
{
    int status = bridge_open_producer(bridge);

    if (!status)
        status = bridge_watch(bridge);
    if (!status)
        status = bridge_serve(bridge);
    if (!status && !bridge->options->no_sandbox)
        status = enter_sandbox(bridge);
    if (status) {
        abandon(bridge);
        return status;
    }
    bridge_title(bridge, vmring_producer_attached(bridge->producer));
    bridge_tell_ready(bridge);
    loop(bridge);
    status = write_statistics(bridge);
    /* A lost output is worse news than a guest that ended, and no other. */
    if (status && (bridge->status == EXIT_AS_ASKED ||
                   bridge->status == EXIT_TARGET_ENDED))
        return status;
    return bridge->status;
}

int bridge_run(const struct bridge_options *options)
{
    struct bridge bridge = {
        .options = options, .ops = options->source, .stats = -1};
    int status, close_status = 0;

    /* Before capabilities go, and before there is a consumer. */
    status = bridge_limits_begin(options->max_async_len);
    memory_open(&bridge.room);
    if (!status && !options->no_sandbox)
        status = bridge_sandbox_begin();

    if (!status)
        status = open_statistics(&bridge);
    if (!status)
        status = bridge_set_up_loop(&bridge);
    if (!status && options->to)
        status = bridge_find_agents(&bridge);
    if (!status)
        status = open_source(&bridge);
    if (!status) {
        status = serve_until_the_end(&bridge);
        bridge_unwatch(&bridge);
        close_status = bridge.ops->close(bridge.source);
    }
    bridge_tear_down_loop(&bridge);
    if (bridge.stats >= 0)
        close(bridge.stats);
    memory_close(&bridge.room);
    /* As asked: a signal ended it, or another serves. */
    if (status == SOURCE_INTERRUPTED || status == SOURCE_SHARED)
        status = EXIT_AS_ASKED;
    return close_status ? close_status : status;
}
