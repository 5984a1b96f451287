/* SPDX-License-Identifier: MIT */
/*
 * outputs.c: the outputs of a run, opened, told of the ledger, and closed.
 */
#include "outputs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "say.h"

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

/* Of two outputs to one file each would write over the other. */
static bool are_apart(const struct outputs_opts *opts)
{
    const char *output = opts->output, *ledger = opts->ledger_json;

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

static int add(struct outputs *outputs, const char *path,
               const struct format *format)
{
    struct sink *sink = &outputs->sinks[outputs->nr];

    sink->format = format;
    if (open_one(&sink->out, path))
        return -EIO;
    outputs->nr++;
    return 0;
}

int outputs_open(struct outputs *outputs, const struct outputs_opts *opts)
{
    int r;

    memset(outputs, 0, sizeof(*outputs));
    outputs->limit_ms = opts->limit_ms;
    if (!are_apart(opts))
        return -EINVAL;
    r = add(outputs, opts->output, opts->format);
    if (!r && opts->output)
        r = add(outputs, NULL, opts->format);
    if (!r && opts->ledger_json)
        r = add(outputs, opts->ledger_json, format_named("json"));
    if (r)
        return r;
    /* Once more, as they may not have been there before. */
    return are_apart(opts) ? 0 : -EINVAL;
}

void outputs_report(struct outputs *outputs, const struct report *report)
{
    for (unsigned int i = 0; i < outputs->nr; i++) {
        struct sink *sink = &outputs->sinks[i];

        /* A window of another size may not have been noticed at the end. */
        output_resized(&sink->out);
        sink->format->ledger(&sink->out, report);
    }
}

static int close_one(struct output *out, int limit_ms)
{
    int told = out->error;

    (void)output_close(out, limit_ms);
    /* Its reader has had enough. */
    if (out->error == EPIPE)
        return 0;
    if (out->error == ETIMEDOUT && !told)
        say("%s: nobody has read it for %d s; the rest of the output is left "
            "out",
            out->name, output_patience(limit_ms) / 1000);
    else if (out->error && !told)
        say("%s: %s; the output is not complete", out->name,
            strerror(out->error));
    return out->error ? -EIO : 0;
}

int outputs_close(struct outputs *outputs)
{
    int r = 0;

    for (unsigned int i = 0; i < outputs->nr; i++)
        if (close_one(&outputs->sinks[i].out, outputs->limit_ms))
            r = -EIO;
    outputs->nr = 0;
    return r;
}
