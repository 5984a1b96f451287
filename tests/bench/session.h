/* SPDX-License-Identifier: MIT */
/*
 * session.h: all that one call of vmring-bench measures: which cases, in
 * which turn, what came out, what is printed.
 */
#ifndef VMRING_BENCH_SESSION_H
#define VMRING_BENCH_SESSION_H

#include "bench.h"
#include "stats.h"

/* One case and what came of it. */
struct outcome {
    const struct bench_case *is;
    enum bench_result result;
    struct bench_sample last; /* names of the extras; why, unless BENCH_OK */
    size_t nr;                /* samples */
    double *values;
    double *distances; /* bench_distance() right before each */
    double *extras[BENCH_MAX_EXTRA];
    struct stats stats;
    double distance;               /* median */
    double extra[BENCH_MAX_EXTRA]; /* medians */
    double ratio; /* median over the rounds; 0: there is no reference */
};

struct session {
    struct bench_env env;
    unsigned runs;
    const char *only;  /* a shell pattern of "group/name", or NULL */
    const char *about; /* for the JSON, or NULL */
    struct outcome *outcomes;
    size_t nr;
};

/* The chosen cases, group by group as the tables have them. */
void session_choose(struct session *session,
                    const struct bench_table *const *tables, size_t nr);
void session_list(const struct session *session);

/* Runs and prints all.  false: a case failed. */
bool session_run(struct session *session);

/* Writes the JSON.  false: it cannot be written; errno. */
bool session_write(const struct session *session, const char *path);

/* The table of the outcomes of one group. */
void report_group(const struct outcome *outcomes, size_t nr);
void report_peers(void);

#endif /* VMRING_BENCH_SESSION_H */
