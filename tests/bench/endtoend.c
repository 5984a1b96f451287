/* SPDX-License-Identifier: MIT */
/*
 * endtoend.c: vmring-agent as a user runs it, on a simulated guest: how many
 * events it takes, and how old they are when whoever reads its output has
 * them.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "stats.h"
#include "tables.h"
#include "worker.h"

struct subject {
    const char *options, *guest;
    unsigned each;       /* events a vCPU raises */
    unsigned each_quick; /* the same, to see that it works */
    unsigned nr_vcpus;
    bool lossy; /* what is too fast for the agent may be lost */
};

#define MAX_EVENTS 65536
#define MAX_LINE   4096
#define MAX_AGE_NS UINT64_C(60000000000)

/* Its output, and its ledger in the end. */
struct agent {
    FILE *out;
    char ledger[64];
};

static bool start(struct agent *agent, const struct subject *subject,
                  unsigned each)
{
    char command[1024];
    int fd;

    strcpy(agent->ledger, "/tmp/vmring-bench.XXXXXX");
    fd = mkstemp(agent->ledger);
    if (fd < 0)
        return false;
    close(fd);
    snprintf(command, sizeof(command),
             "exec '%s' --ledger-json=%s %s sim:vcpus=%u,%s=%u 2>/dev/null",
             VMRING_AGENT, agent->ledger, subject->options, subject->nr_vcpus,
             subject->guest, each);
    fflush(NULL);
    agent->out = popen(command, "re");
    if (!agent->out)
        unlink(agent->ledger);
    return agent->out;
}

static double member(struct json_object *of, const char *key)
{
    struct json_object *value;

    return of && json_object_object_get_ex(of, key, &value)
               ? json_object_get_double(value)
               : 0;
}

/* What the ledger says, which must be of `nr` events. */
static enum bench_result end(struct agent *agent, const struct subject *subject,
                             double nr, struct bench_sample *sample,
                             double *rate)
{
    int status = pclose(agent->out);
    struct json_object *all = json_object_from_file(agent->ledger);
    struct json_object *ledger = NULL, *totals = NULL;
    double attempted, lost, delivered;

    unlink(agent->ledger);
    if (!json_object_object_get_ex(all, "ledger", &ledger))
        ledger = all;
    (void)json_object_object_get_ex(ledger, "totals", &totals);
    attempted = member(totals, "attempted");
    delivered = member(totals, "delivered");
    lost = member(totals, "lost");
    *rate = delivered / member(ledger, "seconds");
    json_object_put(all);
    /* 3: the guest has ended. */
    if (status != 3 << 8 || attempted != nr || delivered + lost != nr ||
        (lost != 0 && !subject->lossy))
        return bench_failed(sample,
                            "status %d, %.0f of %.0f delivered, %.0f lost",
                            status, delivered, nr, lost);
    bench_extra(sample, "lost", lost);
    return BENCH_OK;
}

static unsigned each_of(const struct subject *subject,
                        const struct bench_env *env)
{
    return env->quick ? subject->each_quick : subject->each;
}

static enum bench_result run_rate(const struct bench_case *self,
                                  const struct bench_env *env,
                                  struct bench_sample *sample)
{
    const struct subject *subject = self->arg;
    unsigned each = each_of(subject, env);
    char rest[65536];
    struct agent agent;

    if (access(VMRING_AGENT, X_OK) || !start(&agent, subject, each))
        return bench_skip(sample, "there is no " VMRING_AGENT);
    while (fread(rest, 1, sizeof(rest), agent.out) > 0)
        continue;
    return end(&agent, subject, (double)each * subject->nr_vcpus, sample,
               &sample->value);
}

/* The number behind `"key":`, be it in quotes; 0: none is there. */
static uint64_t number_of(const char *line, const char *key)
{
    const char *at = strstr(line, key);

    if (!at)
        return 0;
    at += strlen(key);
    return strtoull(*at == '"' ? at + 1 : at, NULL, 0);
}

struct ages {
    uint64_t start; /* of the times of events */
    size_t nr, wrong;
    double values[MAX_EVENTS];
};

static void look_at(struct ages *ages, const char *line, uint64_t now)
{
    uint64_t at;

    if (strstr(line, "\"attached\":{"))
        ages->start = number_of(line, "\"start_ns\":");
    if (strncmp(line, "{\"event\"", 8) || ages->nr == MAX_EVENTS)
        return;
    at = ages->start + number_of(line, "\"time_ns\":");
    if (!ages->start || at > now || now - at > MAX_AGE_NS)
        ages->wrong++;
    ages->values[ages->nr++] = (double)(now - at);
}

/* Each line as soon as it is there, by the clock that stamps the events. */
static void read_lines(FILE *out, struct ages *ages)
{
    char text[16 * MAX_LINE + 1];
    size_t held = 0;
    ssize_t len;

    while ((len = read(fileno(out), text + held, sizeof(text) - 1 - held)) >
           0) {
        uint64_t now = bench_now();
        char *line = text, *lf;

        text[held + (size_t)len] = '\0';
        while ((lf = strchr(line, '\n'))) {
            *lf = '\0';
            look_at(ages, line, now);
            line = lf + 1;
        }
        held = strlen(line);
        memmove(text, line, held);
    }
}

static double quantile(const double *sorted, size_t nr, double q)
{
    return sorted[(size_t)((double)(nr - 1) * q)];
}

static enum bench_result run_latency(const struct bench_case *self,
                                     const struct bench_env *env,
                                     struct bench_sample *sample)
{
    const struct subject *subject = self->arg;
    unsigned each = each_of(subject, env);
    struct ages *ages = bench_map(sizeof(*ages));
    enum bench_result result;
    struct agent agent;
    double rate;

    if (!ages || access(VMRING_AGENT, X_OK) || !start(&agent, subject, each)) {
        bench_unmap(ages, sizeof(*ages));
        return bench_skip(sample, "there is no " VMRING_AGENT);
    }
    read_lines(agent.out, ages);
    result =
        end(&agent, subject, (double)each * subject->nr_vcpus, sample, &rate);
    if (result == BENCH_OK && !ages->nr)
        result = bench_failed(sample, "no event was read");
    if (result == BENCH_OK && ages->wrong)
        result = bench_failed(sample, "ages that cannot be");
    if (result == BENCH_OK) {
        (void)stats_of(ages->values, ages->nr);
        sample->value = quantile(ages->values, ages->nr, 0.5);
        bench_extra(sample, "p99", quantile(ages->values, ages->nr, 0.99));
        bench_extra(sample, "events/s", rate);
    }
    bench_unmap(ages, sizeof(*ages));
    return result;
}

/* No verdict by a deadline: the agent may be scheduled late. */
#define PATIENT "deadline=60000,"

/* 4 vCPUs, as fast as they can; then at a rate that leaves time to sleep. */
static const struct subject sync_quiet = {
    .options = "-q -e cpuid",
    .guest = PATIENT "cpuid",
    .each = 10000,
    .each_quick = 200,
    .nr_vcpus = 4,
};
static const struct subject sync_json = {
    .options = "-f json -e cpuid",
    .guest = PATIENT "cpuid",
    .each = 5000,
    .each_quick = 200,
    .nr_vcpus = 4,
};
static const struct subject async_quiet = {
    .options = "-q -e cr3:async --record-size 64 --async-bytes 1m",
    .guest = "cr3",
    .each = 100000,
    .each_quick = 200,
    .nr_vcpus = 4,
    .lossy = true,
};
static const struct subject async_json = {
    .options = "-f json -e cr3:async --record-size 64 --async-bytes 1m",
    .guest = "cr3",
    .each = 10000,
    .each_quick = 200,
    .nr_vcpus = 4,
    .lossy = true,
};
static const struct subject sync_age = {
    .options = "-f json -e cpuid",
    .guest = PATIENT "rate=10000,cpuid",
    .each = 500,
    .each_quick = 50,
    .nr_vcpus = 4,
};
static const struct subject async_age = {
    .options = "-f json -e cr3:async --async-bytes 1m",
    .guest = "rate=10000,cr3",
    .each = 500,
    .each_quick = 50,
    .nr_vcpus = 4,
    .lossy = true,
};

#define RATE(name, what, subject)                                              \
    {                                                                          \
        "agent-rate", name, "events/s", what, run_rate, 0, 64, 1, 4, false,    \
            subject                                                            \
    }
#define AGE(name, what, subject)                                               \
    {                                                                          \
        "agent-latency", name, "ns",                                           \
            "from its time stamp to the reader of the output: " what,          \
            run_latency, BENCH_LESS, 64, 1, 4, false, subject                  \
    }

static const struct bench_case cases[] = {
    RATE("synchronous, quiet", "4 vCPUs wait for each verdict", &sync_quiet),
    RATE("synchronous, JSON", "the same, each event written out", &sync_json),
    RATE("asynchronous, quiet", "4 vCPUs go on, counts only", &async_quiet),
    RATE("asynchronous, JSON", "the same, each event written out", &async_json),
    AGE("synchronous", "10000 a second, each waited for", &sync_age),
    AGE("asynchronous", "10000 a second", &async_age),
};

const struct bench_table endtoend_cases = {cases,
                                           sizeof(cases) / sizeof(cases[0])};
