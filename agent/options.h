/* SPDX-License-Identifier: MIT */
/*
 * options.h: what the command line asks for.
 */
#ifndef AGENT_OPTIONS_H
#define AGENT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "filter/filter.h"
#include "output/format.h"
#include "output/times.h"
#include "policy/policy.h"

struct options {
    const char *endpoint; /* NULL only with list_* */
    const char *events;
    struct filter filter;
    uint64_t count;     /* events shown before it ends; 0: no limit */
    double seconds;     /* 0: no limit */
    const char *output; /* NULL: standard output */
    const char *ledger_json;
    uint64_t sort_ns; /* 0: lines as they come */
    const char *user; /* to become, as root; NULL: a default */
    struct policy policy;
    const struct format *format;
    enum times times;
    unsigned int end_within_ms; /* of its end; 0: no limit */
    unsigned int slow_us;
    unsigned int nr_workers; /* threads that take events; 0: the main one */

    /* Proposed to the producer; 0 leaves the choice to it. */
    uint32_t record_len;
    uint32_t loss_policy; /* of lanes: XEN_VM_RING_POLICY_* */
    uint32_t nr_groups;
    uint64_t async_len;
    uint64_t deadline_ns;

    bool list_kinds;  /* -e help */
    bool list_fields; /* -F help */
    bool list_keys;   /* sim:help */
    bool quiet;
    bool summary;
    bool verbose;
    bool no_sandbox;
};

/*
 * Fills *options from the command line; strings point into argv.  Returns
 * false when there is nothing left to do, with *status to exit with: after
 * --help or --version, or after one line on standard error.
 */
bool options_parse(struct options *options, int argc, char **argv, int *status);

#endif /* AGENT_OPTIONS_H */
