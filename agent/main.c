/* SPDX-License-Identifier: MIT */
/*
 * main.c: vmring-agent, the reference introspection agent.
 *
 * endpoint -> ring -> policy -> ledger and outputs.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../bridge/exit_status.h"
#include "../sandbox/sandbox.h"
#include "base/early.h"
#include "endpoint.h"
#include "options.h"
#include "output/outputs.h"
#include "output/say.h"
#include "output/text.h"
#include "run.h"
#include "watch.h"

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

static int list_kinds(const struct options *options, struct output *out)
{
    struct endpoint endpoint;
    uint64_t supported;
    int status, r;

    if (options->endpoint) {
        status = endpoint_open(&endpoint, options);
        if (status || !endpoint.ring)
            return status;
        r = vmring_supported(endpoint.ring, &supported);
        if (r == -EINTR)
            say("ended by a signal before it was told what there is");
        else if (r < 0)
            say("the producer did not say what it supports: %s", strerror(-r));
        status = endpoint_close(&endpoint);
        if (status || r == -EINTR)
            return status;
        if (r < 0)
            return endpoint_status(r);
    }
    options->format->kinds(out, options->endpoint ? &supported : NULL);
    return EXIT_AS_ASKED;
}

static void list_keys(struct output *out)
{
    char line[VMRING_LINE];

    for (unsigned int i = 0; vmring_sim_help(i, line) >= 0; i++)
        output_printf(out, "%s\n", line);
}

static int open_outputs(struct outputs *outputs, const struct options *options)
{
    const struct outputs_opts opts = {
        .output = options->output,
        .ledger_json = options->ledger_json,
        .format = options->format,
        .limit_ms =
            options->end_within_ms ? (int)options->end_within_ms : OUTPUT_WAITS,
    };
    int r = outputs_open(outputs, &opts);

    return !r ? EXIT_AS_ASKED : r == -EINVAL ? EXIT_USAGE : EXIT_OUTPUT;
}

static int attach_and_watch(const struct options *options,
                            struct outputs *outputs)
{
    struct event_base *base = run_base_new();
    struct endpoint endpoint;
    int status = endpoint_open(&endpoint, options);

    if (!status && endpoint.ring)
        status = watch(options, &endpoint, outputs, base);
    event_base_free(base);
    return status;
}

/* Does what the command line asks for.  Returns the exit status. */
static int do_as_asked(const struct options *options, struct outputs *outputs)
{
    struct output *out = &outputs->sinks[0].out;

    if (options->list_fields)
        text_fields(out);
    else if (options->list_keys)
        list_keys(out);
    else if (options->list_kinds)
        return list_kinds(options, out);
    else
        return attach_and_watch(options, outputs);
    return EXIT_AS_ASKED;
}

int main(int argc, char **argv)
{
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

    status = open_outputs(&outputs, &options);
    /* Now that -o may have named one: /dev/fd/3. */
    sandbox_close_inherited(&inherited, (const int[]){endpoint_fd(&options)},
                            1);
    if (!status)
        status = do_as_asked(&options, &outputs);
    return status_with_output(status, outputs_close(&outputs) != 0);
}
