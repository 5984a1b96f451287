/* SPDX-License-Identifier: MIT */
/* main.c: vmring-bench, the ring beside its peers.  docs/PERFORMANCE.md. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "tables.h"

/* In the order in which they are run and reported. */
static const struct bench_table *const tables[] = {
    &async_limits_cases, &async_vmring_cases, &peer_legacy_cases,
    &peer_socket_cases,
#ifdef HAVE_QB
    &peer_qb_cases,
#endif
#ifdef HAVE_CK
    &peer_ck_cases,
#endif
#ifdef HAVE_DPDK
    &peer_dpdk_cases,
#endif
#ifdef HAVE_CXX_PEERS
    &peer_cxx_cases,
#endif
#ifdef HAVE_BPF
    &peer_bpf_cases,
#endif
#ifdef HAVE_LTTNG
    &peer_lttng_cases,
#endif
    &async_costs_cases,  &memory_cases,       &sync_cases,
    &hostile_cases,      &endtoend_cases,
};

enum {
    OPT_LIST = 1,
    OPT_JSON,
    OPT_QUICK,
    OPT_RUNS,
    OPT_ONLY,
    OPT_CPUS,
    OPT_ABOUT
};

static const struct argp_option options[] = {
    {"list", OPT_LIST, NULL, 0, "List the cases and end", 0},
    {"json", OPT_JSON, "FILE", 0, "Write all samples and figures as JSON", 0},
    {"quick", OPT_QUICK, NULL, 0,
     "See that everything runs; the figures mean nothing", 0},
    {"runs", OPT_RUNS, "N", 0, "Runs of each case (41)", 0},
    {"only", OPT_ONLY, "PATTERN", 0,
     "Only cases whose GROUP/NAME a shell pattern matches", 0},
    {"cpus", OPT_CPUS, "A,B", 0, "Where the two sides are pinned (0,1)", 0},
    {"about", OPT_ABOUT, "TEXT", 0, "What the JSON says of this run", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

struct call {
    struct session session;
    const char *json;
    bool list;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct call *call = state->input;
    struct session *session = &call->session;
    char extra;

    switch (key) {
    case OPT_LIST:
        call->list = true;
        return 0;
    case OPT_JSON:
        call->json = arg;
        return 0;
    case OPT_QUICK:
        session->env.quick = true;
        session->env.run_ns = 1000000;
        session->runs = 2;
        return 0;
    case OPT_RUNS:
        if (sscanf(arg, "%u%c", &session->runs, &extra) != 1 || !session->runs)
            argp_error(state, "not a number of runs: %s", arg);
        return 0;
    case OPT_ONLY:
        session->only = arg;
        return 0;
    case OPT_ABOUT:
        session->about = arg;
        return 0;
    case OPT_CPUS:
        if (sscanf(arg, "%d,%d%c", &session->env.cpus[0], &session->env.cpus[1],
                   &extra) != 2)
            argp_error(state, "not two CPUs: %s", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .doc = "Measures the ring beside its peers, in turn on two pinned CPUs.",
};

int main(int argc, char **argv)
{
    struct call call = {
        .session =
            {
                .env = {.cpus = {0, 1}, .run_ns = 20000000},
                .runs = 41,
            },
    };
    bool good;

    argp_parse(&argp, argc, argv, 0, NULL, &call);
    session_choose(&call.session, tables, sizeof(tables) / sizeof(tables[0]));
    if (!call.session.nr) {
        fprintf(stderr, "vmring-bench: no case is called that\n");
        return 1;
    }
    if (call.list) {
        session_list(&call.session);
        return 0;
    }
    good = session_run(&call.session);
    if (call.json && !session_write(&call.session, call.json)) {
        fprintf(stderr, "vmring-bench: %s: %s\n", call.json, strerror(errno));
        return 1;
    }
    return good ? 0 : 1;
}
