/* SPDX-License-Identifier: MIT */
/* report.c: the tables that a person reads, and the JSON that plots read. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "session.h"

/* Four digits that count, and a unit prefix where it helps. */
static const char *number(double v, char *text, size_t len)
{
    if (v >= 1e9)
        snprintf(text, len, "%.3g G", v / 1e9);
    else if (v >= 1e6)
        snprintf(text, len, "%.4g M", v / 1e6);
    else if (v >= 1e4)
        snprintf(text, len, "%.4g k", v / 1e3);
    else
        snprintf(text, len, "%.4g", v);
    return text;
}

static void print_number(double v)
{
    char text[32];

    printf(" %9s", number(v, text, sizeof(text)));
}

static void report_one(const struct outcome *out)
{
    printf("  %-24s", out->is->name);
    if (out->result != BENCH_OK) {
        printf(" %s: %s\n", out->result == BENCH_SKIP ? "not run" : "FAILED",
               out->last.why);
        return;
    }
    print_number(out->stats.median);
    print_number(out->stats.q1);
    print_number(out->stats.q3);
    print_number(out->stats.min);
    print_number(out->stats.max);
    if (out->ratio != 0)
        printf(" %8.3f%s", out->ratio,
               out->is->flags & BENCH_REFERENCE ? " *" : "  ");
    else
        printf(" %8s  ", "");
    printf(" line %.0f ns", out->distance);
    for (unsigned i = 0; i < out->last.nr_extra; i++) {
        char text[32];

        printf(" %s %s", out->last.extra[i].name,
               number(out->extra[i], text, sizeof(text)));
    }
    printf("\n");
}

void report_group(const struct outcome *outcomes, size_t nr)
{
    printf("\n%s: %s, %s is better\n", outcomes->is->group, outcomes->is->unit,
           outcomes->is->flags & BENCH_LESS ? "less" : "more");
    printf("  %-24s %9s %9s %9s %9s %9s %8s\n", "", "median", "quart.1",
           "quart.3", "min", "max", "ratio");
    for (size_t i = 0; i < nr; i++)
        report_one(&outcomes[i]);
    fflush(stdout);
}

void report_peers(void)
{
    printf("\n");
    for (size_t i = 0; i < bench_nr_peers; i++)
        if (!bench_peers[i].built)
            printf("%s not built: package %s\n", bench_peers[i].name,
                   bench_peers[i].package);
}

static void add(struct json_object *to, const char *key,
                struct json_object *value)
{
    json_object_object_add(to, key, value);
}

static struct json_object *text_of(const char *text)
{
    return json_object_new_string(text);
}

/* The CPU's name, as the kernel has it. */
static struct json_object *cpu_model(void)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[256], model[256] = "unknown";

    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "model name : %255[^\n]", model) == 1)
            break;
    if (file)
        fclose(file);
    return text_of(model);
}

static struct json_object *machine(void)
{
    struct json_object *is = json_object_new_object();
    struct utsname name;

    add(is, "cpu", cpu_model());
    if (uname(&name) == 0) {
        add(is, "kernel", text_of(name.release));
        add(is, "machine", text_of(name.machine));
    }
    add(is, "compiler", text_of(__VERSION__));
    return is;
}

static struct json_object *numbers(const double *values, size_t nr)
{
    struct json_object *array = json_object_new_array();

    for (size_t i = 0; i < nr; i++)
        json_object_array_add(array, json_object_new_double(values[i]));
    return array;
}

static void add_stats(struct json_object *is, const struct outcome *out)
{
    struct json_object *extra = json_object_new_object();

    add(is, "median", json_object_new_double(out->stats.median));
    add(is, "q1", json_object_new_double(out->stats.q1));
    add(is, "q3", json_object_new_double(out->stats.q3));
    add(is, "min", json_object_new_double(out->stats.min));
    add(is, "max", json_object_new_double(out->stats.max));
    if (out->ratio != 0)
        add(is, "ratio", json_object_new_double(out->ratio));
    for (unsigned i = 0; i < out->last.nr_extra; i++)
        add(extra, out->last.extra[i].name,
            json_object_new_double(out->extra[i]));
    add(is, "extra", extra);
    add(is, "samples", numbers(out->values, out->nr));
    add(is, "line_ns", numbers(out->distances, out->nr));
}

static struct json_object *case_of(const struct outcome *out)
{
    static const char *const results[] = {"ok", "skipped", "failed"};
    struct json_object *is = json_object_new_object();

    add(is, "group", text_of(out->is->group));
    add(is, "name", text_of(out->is->name));
    add(is, "unit", text_of(out->is->unit));
    add(is, "what", text_of(out->is->what));
    add(is, "less_is_better",
        json_object_new_boolean(!!(out->is->flags & BENCH_LESS)));
    add(is, "reference",
        json_object_new_boolean(!!(out->is->flags & BENCH_REFERENCE)));
    add(is, "result", text_of(results[out->result]));
    if (out->result == BENCH_OK)
        add_stats(is, out);
    else
        add(is, "why", text_of(out->last.why));
    return is;
}

bool session_write(const struct session *session, const char *path)
{
    struct json_object *all = json_object_new_object();
    struct json_object *missing = json_object_new_array();
    struct json_object *cases = json_object_new_array();
    bool written;

    add(all, "machine", machine());
    add(all, "quick", json_object_new_boolean(session->env.quick));
    add(all, "runs", json_object_new_int((int)session->runs));
    add(all, "run_ns", json_object_new_int64((int64_t)session->env.run_ns));
    for (size_t i = 0; i < bench_nr_peers; i++) {
        struct json_object *peer;

        if (bench_peers[i].built)
            continue;
        peer = json_object_new_object();
        add(peer, "peer", text_of(bench_peers[i].name));
        add(peer, "package", text_of(bench_peers[i].package));
        json_object_array_add(missing, peer);
    }
    add(all, "not_built", missing);
    for (size_t i = 0; i < session->nr; i++)
        json_object_array_add(cases, case_of(&session->outcomes[i]));
    add(all, "cases", cases);
    written = json_object_to_file_ext(path, all, JSON_C_TO_STRING_PRETTY) == 0;
    json_object_put(all);
    return written;
}
