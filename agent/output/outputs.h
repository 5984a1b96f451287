/* SPDX-License-Identifier: MIT */
/*
 * outputs.h: the outputs of a run.  The first gets the events, all get the
 * ledger, each in a format of its own.
 */
#ifndef AGENT_OUTPUTS_H
#define AGENT_OUTPUTS_H

#include "format.h"
#include "output.h"

/* -o or standard output, the screen beside -o, and --ledger-json. */
#define OUTPUTS_MOST 3

struct sink {
    struct output out;
    const struct format *format;
};

struct outputs {
    unsigned int nr;
    struct sink sinks[OUTPUTS_MOST]; /* [0]: of events */
    int limit_ms;                    /* of waiting for readers, at the end */
};

/* From the command line. */
struct outputs_opts {
    const char *output; /* NULL: standard output */
    const char *ledger_json;
    const struct format *format;
    int limit_ms; /* or OUTPUT_WAITS */
};

/*
 * 0; -EINVAL two of them are one file; -EIO one cannot be opened.  It is said,
 * and they are to be closed then, too.
 */
int outputs_open(struct outputs *outputs, const struct outputs_opts *opts);

/* Writes the ledger. */
void outputs_report(struct outputs *outputs, const struct report *report);

/* 0; -EIO: one of them is not complete, which is said. */
int outputs_close(struct outputs *outputs);

#endif /* AGENT_OUTPUTS_H */
