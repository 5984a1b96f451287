/* SPDX-License-Identifier: MIT */
/* report.c: the tables that a person reads, and the JSON that plots read. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

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

/* What the kernel says of the CPUs. */
static struct json_object *cpu_model(void)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[4096], model[256] = "unknown", text[400];
    bool virtual = false;

    while (file && fgets(line, sizeof(line), file)) {
        (void)sscanf(line, "model name : %255[^\n]", model);
        virtual = virtual || strstr(line, " hypervisor");
    }
    if (file)
        fclose(file);
    snprintf(text, sizeof(text), "%s, %ld CPUs%s", model,
             sysconf(_SC_NPROCESSORS_ONLN),
             virtual ? " of a virtual machine" : "");
    return text_of(text);
}

static struct json_object *kernel(void)
{
    struct utsname name;
    char text[200];
    int major, minor;

    if (uname(&name) || sscanf(name.release, "%d.%d", &major, &minor) != 2)
        return text_of("unknown");
    snprintf(text, sizeof(text), "%.64s %d.%d, %.64s", name.sysname, major,
             minor, name.machine);
    return text_of(text);
}

static const char *compiler(void)
{
#ifdef __clang__
    return __VERSION__;
#else
    return "gcc " __VERSION__;
#endif
}

static struct json_object *machine_of(const char *about)
{
    struct json_object *is = json_object_new_object();

    add(is, "cpu", cpu_model());
    add(is, "kernel", kernel());
    add(is, "compiler", text_of(compiler()));
    if (about)
        add(is, "about", text_of(about));
    return is;
}

/* Six digits that count are more than any sample has. */
static struct json_object *real(double value)
{
    static char format[] = "%.6g";
    struct json_object *is = json_object_new_double(value);

    json_object_set_serializer(is, json_object_double_to_json_string, format,
                               NULL);
    return is;
}

static struct json_object *numbers(const double *values, size_t nr)
{
    struct json_object *array = json_object_new_array();

    for (size_t i = 0; i < nr; i++)
        json_object_array_add(array, real(values[i]));
    return array;
}

static void add_stats(struct json_object *is, const struct outcome *out)
{
    struct json_object *extra = json_object_new_object();

    add(is, "median", real(out->stats.median));
    add(is, "q1", real(out->stats.q1));
    add(is, "q3", real(out->stats.q3));
    add(is, "min", real(out->stats.min));
    add(is, "max", real(out->stats.max));
    if (out->ratio != 0)
        add(is, "ratio", real(out->ratio));
    for (unsigned i = 0; i < out->last.nr_extra; i++)
        add(extra, out->last.extra[i].name, real(out->extra[i]));
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

    add(all, "machine", machine_of(session->about));
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
