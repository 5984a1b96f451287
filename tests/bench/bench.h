/* SPDX-License-Identifier: MIT */
/*
 * bench.h: what a measurement is, for the files that hold some.
 *
 * A case belongs to a group; the cases of a group are contestants.  They are
 * run in turn, A B C A B C, so that whatever disturbs the machine meets all
 * of them, and a ratio is taken within one round.  A file with cases ends in
 * a struct bench_table, which main.c lists.
 */
#ifndef VMRING_BENCH_H
#define VMRING_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What every run is told. */
struct bench_env {
    int cpus[2];     /* where the two sides are pinned */
    bool quick;      /* see that it works; the time it takes says nothing */
    uint64_t run_ns; /* how long a run that is timed should measure */
};

#define BENCH_MAX_EXTRA 8

/* What a run gives back. */
struct bench_sample {
    double value;
    /* More about the same run, by name; medians of these are reported. */
    struct {
        const char *name;
        double value;
    } extra[BENCH_MAX_EXTRA];
    unsigned nr_extra;
    char why[200]; /* unless BENCH_OK: what was not there, or not right */
};

enum bench_result {
    BENCH_OK,
    BENCH_SKIP,   /* cannot be had here: sample->why */
    BENCH_FAILED, /* it did not deliver what it should: sample->why */
};

/* Flags of a case. */
#define BENCH_REFERENCE 1u /* the ratios of its group are to this one */
#define BENCH_LESS      2u /* less is better */
#define BENCH_ONCE      4u /* a count, not a time: one run tells it all */

struct bench_case {
    const char *group, *name;
    const char *unit; /* of the value */
    const char *what; /* what it measures, one line */
    enum bench_result (*run)(const struct bench_case *self,
                             const struct bench_env *env,
                             struct bench_sample *sample);
    unsigned flags;
    /* Which variant it is, for run() alone. */
    uint32_t len, batch, producers;
    bool processes;
    const void *arg;
};

struct bench_table {
    const struct bench_case *cases;
    size_t nr;
};

/* A contestant that is left out of the build if its package is not there. */
struct bench_peer {
    const char *name, *package;
    bool built;
};

extern const struct bench_peer bench_peers[];
extern const size_t bench_nr_peers;

/* More about the run. */
void bench_extra(struct bench_sample *sample, const char *name, double value);

/* Both set sample->why and are what run() returns then. */
enum bench_result bench_skip(struct bench_sample *sample, const char *format,
                             ...) __attribute__((__format__(printf, 2, 3)));
enum bench_result bench_failed(struct bench_sample *sample, const char *format,
                               ...) __attribute__((__format__(printf, 2, 3)));

#ifdef __cplusplus
}
#endif

#endif /* VMRING_BENCH_H */
