/* SPDX-License-Identifier: MIT */
/*
 * main.c: vmring-agent, the reference introspection agent.
 *
 * endpoint -> ring -> policy -> outputs and ledger.  Whatever fails after it
 * has attached, it detaches in order before it ends.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../bridge/exit_status.h"
#include "../sandbox/sandbox.h"
#include "clock.h"
#include "early.h"
#include "endpoint.h"
#include "fields.h"
#include "json.h"
#include "ledger.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "run.h"
#include "say.h"
#include "table.h"

/* Each with fd -1 where it is not asked for. */
struct outputs {
    struct output main;   /* events and the ledger: -o or standard output */
    struct output screen; /* the ledger, where -o takes the events away */
    struct output ledger; /* --ledger-json */
    int limit_ms;         /* of waiting for who reads them, at the end */
};

/* A file opened later must not become somebody's standard error. */
static bool check_standard_fds(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        if (fd == STDOUT_FILENO) {
            say_open();
            say("standard output is closed; redirect it to /dev/null "
                "if nobody reads it");
            return false;
        }
        if (open("/dev/null", O_RDWR) != fd)
            return false;
    }
    return true;
}

static void say_no_memory(const char *what)
{
    say("no memory for %s; raise the limit of it (ulimit -v), or ask for fewer "
        "bytes",
        what);
}

static int open_one(struct output *out, const char *path)
{
    int r = output_open(out, path);

    if (r == -ENXIO)
        say("%s: nobody reads it; start its reader first", out->name);
    else if (r == -ENOENT)
        say("%s: its folder is not there; create it, or name another file",
            out->name);
    else if (r == -ENOMEM)
        say_no_memory(out->name);
    else if (r)
        say("%s: %s; name a file that can be written", out->name, strerror(-r));
    return r;
}

/* NULL: standard output. */
static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;

    return (a ? stat(a, &x) : fstat(STDOUT_FILENO, &x)) == 0 &&
           (b ? stat(b, &y) : fstat(STDOUT_FILENO, &y)) == 0 &&
           S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Two who write to one file each from its beginning. */
static bool are_apart(const struct options *options)
{
    const char *output = options->output, *ledger = options->ledger_json;

    if (output && is_same_file(output, NULL))
        say("-o %s: that is standard output; leave -o out", output);
    else if (ledger && is_same_file(output, ledger))
        say("--ledger-json %s: the events go there, too; name another file",
            ledger);
    else if (ledger && output && is_same_file(NULL, ledger))
        say("--ledger-json %s: that is standard output; name another file",
            ledger);
    else
        return true;
    return false;
}

static int outputs_open(struct outputs *outputs, const struct options *options)
{
    memset(outputs, 0, sizeof(*outputs));
    outputs->screen.fd = outputs->ledger.fd = -1;
    outputs->screen.writer.given = outputs->ledger.writer.given = -1;
    outputs->limit_ms =
        options->end_within_ms ? (int)options->end_within_ms : OUTPUT_WAITS;
    if (!are_apart(options))
        return EXIT_USAGE;
    if (open_one(&outputs->main, options->output))
        return EXIT_OUTPUT;
    if (options->output && open_one(&outputs->screen, NULL))
        return EXIT_OUTPUT;
    if (options->ledger_json &&
        open_one(&outputs->ledger, options->ledger_json))
        return EXIT_OUTPUT;
    /* Once more, as they may not have been there before. */
    return are_apart(options) ? EXIT_AS_ASKED : EXIT_USAGE;
}

static int close_one(struct output *out, int limit_ms)
{
    int told = out->error;

    if (out->fd < 0 && !told)
        return EXIT_AS_ASKED;
    (void)output_close(out, limit_ms);
    /* Whoever read it has had enough. */
    if (out->error == EPIPE)
        return EXIT_AS_ASKED;
    if (out->error == ETIMEDOUT && !told)
        say("%s: nobody has read it for %d s; the rest of the output is left "
            "out",
            out->name, output_patience(limit_ms) / 1000);
    else if (out->error && !told)
        say("%s: %s; the output is not complete", out->name,
            strerror(out->error));
    return out->error ? EXIT_OUTPUT : EXIT_AS_ASKED;
}

static int outputs_close(struct outputs *outputs)
{
    int limit_ms = outputs->limit_ms;
    int status = close_one(&outputs->main, limit_ms);
    int screen = close_one(&outputs->screen, limit_ms);
    int ledger = close_one(&outputs->ledger, limit_ms);

    return status ? status : screen ? screen : ledger;
}

static int list_kinds(const struct options *options, struct outputs *outputs)
{
    struct endpoint endpoint;
    uint64_t supported;
    int status, r;

    if (options->endpoint) {
        status = endpoint_open(&endpoint, options);
        if (status || !endpoint.ring)
            return status;
        r = vmring_supported(endpoint.ring, &supported);
        if (r < 0)
            say("the producer did not say what it supports: %s", strerror(-r));
        status = endpoint_close(&endpoint);
        if (r < 0 || status)
            return r < 0 ? endpoint_status(r) : status;
    }
    if (options->format == FORMAT_JSON)
        json_kinds(&outputs->main, options->endpoint ? &supported : NULL);
    else
        table_kinds(&outputs->main, options->endpoint ? &supported : NULL);
    return EXIT_AS_ASKED;
}

static void list_keys(struct output *out)
{
    char line[VMRING_LINE];

    for (unsigned int i = 0; vmring_sim_help(i, line) >= 0; i++)
        output_printf(out, "%s\n", line);
}

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
        say("interrupted while it ended: detached without the last events, or "
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
    const struct options *options = run->options;
    const char *ending = ending_name(run->ending);

    /* A window of another size may not have been noticed at the end. */
    output_resized(&outputs->main);
    output_resized(&outputs->screen);
    if (options->format == FORMAT_JSON) {
        json_ledger(&outputs->main, run->ledger, run->info, ending, shutdown,
                    options->verbose);
        json_ledger(&outputs->screen, run->ledger, run->info, ending, shutdown,
                    options->verbose);
    } else {
        table_ledger(&outputs->main, run->ledger, run->info, options->verbose);
        table_ledger(&outputs->screen, run->ledger, run->info,
                     options->verbose);
    }
    json_ledger(&outputs->ledger, run->ledger, run->info, ending, shutdown,
                options->verbose);
}

/* The producer lost outweighs a ledger that differs, and that the rest. */
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

/* A lost output is worse news than a guest that ended, and no other. */
static int with_output(int status, int output)
{
    return output && (status == EXIT_AS_ASKED || status == EXIT_TARGET_ENDED)
               ? output
               : status;
}

static int settle(struct run *run)
{
    struct ledger *ledger = run->ledger;
    bool cut = is_cut_short(run);
    int r = ledger_fetch(ledger, run->ring, !cut);

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
        run->ending =
            ledger->no_counts == -EINTR ? ENDED_INTERRUPTED : ENDED_PEER_LOST;
    return r;
}

static int watch(const struct options *options, struct endpoint *endpoint,
                 struct outputs *outputs, struct event_base *base)
{
    struct vmring_info info = {.size = sizeof(info)};
    struct ledger ledger;
    struct run run = {.options = options,
                      .base = base,
                      .ring = endpoint->ring,
                      .info = &info,
                      .out = &outputs->main,
                      .ledger = &ledger,
                      .origin = {.lock = PTHREAD_MUTEX_INITIALIZER}};
    char error[256] = "";
    const char *shutdown;
    unsigned int reason;
    int r, status;

    r = vmring_get_info(endpoint->ring, &info);
    origin_set(&run.origin, clock_ns());
    if (!r)
        r = ledger_open(&ledger, &info, options->summary);
    if (r) {
        say_no_memory("the ledger");
        endpoint_close(endpoint);
        return EXIT_FAULT;
    }
    r = vmring_subscribe(endpoint->ring, options->events, NULL, error,
                         sizeof(error));
    if (r < 0) {
        if (r == -EINTR)
            say("ended by a signal before all was armed; nothing of it stays");
        else
            say("%s", error[0] ? error : strerror(-r));
        endpoint_close(endpoint);
        ledger_close(&ledger);
        if (r == -EINTR)
            return EXIT_AS_ASKED;
        return r == -ENOTSUP ? EXIT_UNSUPPORTED : endpoint_status(r);
    }
    early_hand_over();
    /* Another clock's origin is its own: then the first event is time 0. */
    run.origin.known = info.clock == XEN_VM_RING_CLOCK_MONOTONIC &&
                       strncmp(options->endpoint, "grant:", 6) != 0;
    if (options->format == FORMAT_JSON)
        json_attached(&outputs->main, &info, options, &run.origin);
    if (say_is_terminal())
        say("watching %s, %u vCPU%s, for %s; Ctrl-C ends", info.target,
            info.nr_vcpus, info.nr_vcpus == 1 ? "" : "s", options->events);

    run_until_end(&run);

    r = settle(&run);
    ledger.seconds = run.seconds;
    ledger.filtered = options->filter.nr;
    shutdown = shutdown_name(endpoint->ring, &reason);
    /* Before the ledger: whoever reads that may keep us waiting. */
    endpoint_detach(endpoint);
    if (is_cut_short(&run))
        outputs->limit_ms = OUTPUT_NO_PATIENCE;
    if (r) {
        say_no_memory("the ledger");
    } else {
        write_ledger(outputs, &run, shutdown);
        if (ledger.result == LEDGER_DIFFERS)
            say("the ledger does not add up: %s", ledger.why);
    }
    r = r ? EXIT_FAULT : status_of(&run, tell_ending(&run, shutdown, reason));
    ledger_close(&ledger);
    status = endpoint_close(endpoint);
    /* Of two things gone wrong the bridge's is about the guest. */
    return status ? status
                  : with_output(r, endpoint->unwritten ? EXIT_OUTPUT : 0);
}

int main(int argc, char **argv)
{
    struct endpoint endpoint;
    struct options options;
    struct outputs outputs;
    /* Of the whole process: it may end before they are closed. */
    static struct sandbox_inherited inherited;
    int status;

    if (!check_standard_fds())
        return EXIT_OUTPUT;
    if (sandbox_note_inherited(&inherited) < 0) {
        say_open();
        say_no_memory("the list of what is open");
        return EXIT_FAULT;
    }
    say_open();
    early_begin();
    /* A reader that has gone is an error of the write that notices it. */
    signal(SIGPIPE, SIG_IGN);
    /* So is a file that may not grow any more: EFBIG. */
    signal(SIGXFSZ, SIG_IGN);
    /* A producer that takes pages of its ring away is one that is broken. */
    (void)vmring_catch_sigbus();
    if (!options_parse(&options, argc, argv, &status))
        return status;

    status = outputs_open(&outputs, &options);
    /* Now that -o may have named one: /dev/fd/3. */
    sandbox_close_inherited(&inherited, (const int[]){endpoint_fd(&options)},
                            1);
    if (!status) {
        if (options.list_fields) {
            fields_list(&outputs.main);
        } else if (options.list_keys) {
            list_keys(&outputs.main);
        } else if (options.list_kinds) {
            status = list_kinds(&options, &outputs);
        } else {
            struct event_base *base = run_base_new();

            status = endpoint_open(&endpoint, &options);
            if (!status && endpoint.ring)
                status = watch(&options, &endpoint, &outputs, base);
            event_base_free(base);
        }
    }
    return with_output(status, outputs_close(&outputs));
}
