/* SPDX-License-Identifier: MIT */
/*
 * format.h: how what is seen is written: a table of operations, with a row for
 * each word of -f.
 *
 * An operation writes whole lines into a struct output, and knows nothing of
 * where they go: to a file, a terminal, a thread's buffer.  A new format is a
 * file with such operations and a row in format.c.
 */
#ifndef AGENT_FORMAT_H
#define AGENT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../libvmring/vmring.h"
#include "../ledger/ledger.h"
#include "output.h"
#include "times.h"

/* That the agent has attached, before all events. */
struct attached {
    const struct vmring_info *info;
    const char *endpoint, *events; /* as they were given */
    int64_t wall;                  /* when, ns since 1970 */
    bool ns_known;                 /* if the producer's clock is ours: */
    uint64_t ns;                   /*   when, by that */
};

/* An event, and what became of it. */
struct line {
    const struct vmring_event *event;
    const char *verdict; /* NULL: asynchronous, none was asked for */
    bool late;           /* the verdict came after the deadline */
    int64_t time;        /* ns since the agent attached */
    int64_t delta;       /* ns since the event before it of its vCPU */
    int64_t wall;        /* ns since 1970 */
    enum times times;    /* which of them to show */
    bool registers;      /* all of them, not only where it happened */
    uint32_t arch;       /* whose they are: XEN_VM_RING_ARCH_* */
};

/* The ledger, at the end or as it stands. */
struct report {
    const struct ledger *ledger;
    const struct vmring_info *info;
    const char *ending;   /* why it ended */
    const char *shutdown; /* why the target did, or NULL */
    bool all;             /* every row, however many vCPUs there are */
};

/* Of a summary's rows so many are shown, or with report.all so many. */
#define SUMMARY_SHOWN     10
#define SUMMARY_SHOWN_ALL 100

struct format {
    const char *name; /* of -f */
    /* NULL: says nothing of it. */
    void (*attached)(struct output *out, const struct attached *attached);
    void (*event)(struct output *out, const struct line *line);
    /* The target's state has changed: event->target, and why. */
    void (*target)(struct output *out, const struct vmring_event *event,
                   enum times times);
    void (*ledger)(struct output *out, const struct report *report);
    /*
     * Every kind of event; bit i of *supported tells whether the producer can
     * arm the i-th, NULL if none was asked.
     */
    void (*kinds)(struct output *out, const uint64_t *supported);
    /* Writes a line of event() with a mark that it is out of order. */
    void (*unordered)(struct output *out, const char *line, size_t len);
};

/* The i-th, from 0 on; NULL behind the last.  The first is the default. */
#define FORMAT_MOST 8
const struct format *format_at(unsigned int i);

/* NULL: there is none of this name. */
const struct format *format_named(const char *name);

#endif /* AGENT_FORMAT_H */
