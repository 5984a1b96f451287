/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker.h"

static void *zeroed(size_t nr, size_t len)
{
    void *at = calloc(nr ? nr : 1, len);

    if (!at) {
        fprintf(stderr, "vmring-bench: no memory\n");
        exit(1);
    }
    return at;
}

void bench_extra(struct bench_sample *sample, const char *name, double value)
{
    if (sample->nr_extra == BENCH_MAX_EXTRA)
        return;
    sample->extra[sample->nr_extra].name = name;
    sample->extra[sample->nr_extra++].value = value;
}

enum bench_result bench_skip(struct bench_sample *sample, const char *format,
                             ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(sample->why, sizeof(sample->why), format, args);
    va_end(args);
    return BENCH_SKIP;
}

enum bench_result bench_failed(struct bench_sample *sample, const char *format,
                               ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(sample->why, sizeof(sample->why), format, args);
    va_end(args);
    return BENCH_FAILED;
}

/* The samples keep their order: it is that of the rounds. */
static struct stats stats_in_place(const double *values, size_t nr)
{
    double *copy = zeroed(nr, sizeof(*copy));
    struct stats stats;

    memcpy(copy, values, nr * sizeof(*copy));
    stats = stats_of(copy, nr);
    free(copy);
    return stats;
}

static bool is_chosen(const struct session *session,
                      const struct bench_case *one)
{
    char name[256];

    snprintf(name, sizeof(name), "%s/%s", one->group, one->name);
    return !session->only || fnmatch(session->only, name, 0) == 0;
}

/* Has a case before `one` of its table opened its group already? */
static bool is_first_of_group(const struct bench_table *table, size_t one)
{
    for (size_t i = 0; i < one; i++)
        if (!strcmp(table->cases[i].group, table->cases[one].group))
            return false;
    return true;
}

static void choose_group(struct session *session,
                         const struct bench_table *const *tables, size_t nr,
                         const char *group)
{
    for (size_t t = 0; t < nr; t++)
        for (size_t i = 0; i < tables[t]->nr; i++) {
            const struct bench_case *one = &tables[t]->cases[i];

            if (!strcmp(one->group, group) && is_chosen(session, one))
                session->outcomes[session->nr++].is = one;
        }
}

static bool has_group(const struct session *session, const char *group)
{
    for (size_t i = 0; i < session->nr; i++)
        if (!strcmp(session->outcomes[i].is->group, group))
            return true;
    return false;
}

void session_choose(struct session *session,
                    const struct bench_table *const *tables, size_t nr)
{
    size_t all = 0;

    for (size_t t = 0; t < nr; t++)
        all += tables[t]->nr;
    session->outcomes = zeroed(all, sizeof(*session->outcomes));
    session->nr = 0;
    /* Several tables may add contestants to one group. */
    for (size_t t = 0; t < nr; t++)
        for (size_t i = 0; i < tables[t]->nr; i++) {
            const char *group = tables[t]->cases[i].group;

            if (is_first_of_group(tables[t], i) && !has_group(session, group))
                choose_group(session, tables, nr, group);
        }
}

void session_list(const struct session *session)
{
    const char *group = "";

    for (size_t i = 0; i < session->nr; i++) {
        const struct bench_case *one = session->outcomes[i].is;

        if (strcmp(one->group, group))
            printf("%s\n", one->group);
        group = one->group;
        printf("  %-24s %s: %s\n", one->name, one->unit, one->what);
    }
    report_peers();
}

static void run_once(struct session *session, struct outcome *out, bool keep)
{
    struct bench_sample sample = {.value = 0};
    enum bench_result result;
    double distance;

    if (out->result != BENCH_OK)
        return;
    distance = bench_distance(session->env.cpus);
    result = out->is->run(out->is, &session->env, &sample);
    if (result == BENCH_OK && !keep)
        return;
    out->result = result;
    out->last = sample;
    if (result != BENCH_OK)
        return;
    out->values[out->nr] = sample.value;
    out->distances[out->nr] = distance;
    for (unsigned i = 0; i < sample.nr_extra; i++) {
        if (!out->extras[i])
            out->extras[i] = zeroed(session->runs, sizeof(double));
        out->extras[i][out->nr] = sample.extra[i].value;
    }
    out->nr++;
}

/* In place of each round's value, its ratio to the reference's. */
static void set_ratio(struct outcome *out, const struct outcome *reference)
{
    double *ratios;
    size_t nr = out->nr < reference->nr ? out->nr : reference->nr;

    if (!nr)
        return;
    ratios = zeroed(nr, sizeof(*ratios));
    for (size_t i = 0; i < nr; i++)
        ratios[i] = reference->values[i] != 0
                        ? out->values[i] / reference->values[i]
                        : 0;
    out->ratio = stats_of(ratios, nr).median;
    free(ratios);
}

static void sum_up(struct outcome *outs, size_t nr)
{
    const struct outcome *reference = NULL;

    for (size_t i = 0; i < nr; i++)
        if ((outs[i].is->flags & BENCH_REFERENCE) && outs[i].nr)
            reference = &outs[i];
    for (size_t i = 0; i < nr && reference; i++)
        set_ratio(&outs[i], reference);
    for (size_t i = 0; i < nr; i++) {
        if (!outs[i].nr)
            continue;
        outs[i].stats = stats_in_place(outs[i].values, outs[i].nr);
        outs[i].distance = stats_in_place(outs[i].distances, outs[i].nr).median;
        for (unsigned e = 0; e < outs[i].last.nr_extra; e++)
            outs[i].extra[e] =
                stats_in_place(outs[i].extras[e], outs[i].nr).median;
    }
}

static bool run_group(struct session *session, struct outcome *outs, size_t nr)
{
    bool good = true;

    for (size_t i = 0; i < nr; i++) {
        outs[i].values = zeroed(session->runs, sizeof(double));
        outs[i].distances = zeroed(session->runs, sizeof(double));
    }
    /* The first round warms up and is not kept. */
    for (unsigned run = 0; run <= session->runs; run++)
        for (size_t i = 0; i < nr; i++) {
            bool once = outs[i].is->flags & BENCH_ONCE;

            if (!once || run == 1)
                run_once(session, &outs[i], once || run > 0);
        }
    sum_up(outs, nr);
    report_group(outs, nr);
    for (size_t i = 0; i < nr; i++)
        good = good && outs[i].result != BENCH_FAILED;
    return good;
}

bool session_run(struct session *session)
{
    bool good = true;
    size_t first = 0;

    while (first < session->nr) {
        const char *group = session->outcomes[first].is->group;
        size_t nr = 1;

        while (first + nr < session->nr &&
               !strcmp(session->outcomes[first + nr].is->group, group))
            nr++;
        good = run_group(session, &session->outcomes[first], nr) && good;
        first += nr;
    }
    report_peers();
    return good;
}
