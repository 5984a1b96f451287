/* SPDX-License-Identifier: MIT */
/*
 * truth.c: what the simulated guest counted itself, to compare ledgers with.
 *
 * One JSON object, stable, keys may be added:
 *   format      "vmring-sim-truth"
 *   version     1
 *   name, seed, vcpus    as given
 *   ended       true: every vCPU has done its work
 *   counts      [{vcpu, reason, requests, answered, defaulted, records}],
 *               ordered by vCPU and the number of the reason, which is given
 *               by name; no rows of zeros
 *   guest       [{vcpu, passed, trapped, denied, cpuid_wrong, stray, refused}],
 *               one per vCPU; struct sim_vcpu says what they are
 *   total       {requests, answered, defaulted, records}
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_zero(const struct sim_tally *t)
{
    return !t->requests && !t->records;
}

static size_t count_rows(const struct sim *sim)
{
    size_t nr = 0;

    for (unsigned int v = 0; v < nr_vcpus(sim); v++) {
        for (unsigned int r = 0; r < XEN_VM_RING_NR_REASONS; r++)
            nr += !is_zero(&sim->vcpus[v].tally[r]);
    }
    return nr;
}

int sim_truth(const struct sim *sim, struct vmring_count **counts)
{
    /* One more, so that no rows are an array as well. */
    struct vmring_count *rows = calloc(count_rows(sim) + 1, sizeof(*rows));
    int nr = 0;

    if (!rows)
        return -ENOMEM;
    for (unsigned int v = 0; v < nr_vcpus(sim); v++) {
        for (unsigned int r = 0; r < XEN_VM_RING_NR_REASONS; r++) {
            const struct sim_tally *t = &sim->vcpus[v].tally[r];

            if (is_zero(t))
                continue;
            rows[nr++] = (struct vmring_count){
                .vcpu = v,
                .reason = (uint16_t)r,
                .requests = t->requests,
                .answered = t->answered,
                .defaulted = t->defaulted,
                .records = t->records,
            };
        }
    }
    *counts = rows;
    return nr;
}

static void write_four(FILE *f, const struct sim_tally *t)
{
    fprintf(f,
            "\"requests\":%" PRIu64 ",\"answered\":%" PRIu64
            ",\"defaulted\":%" PRIu64 ",\"records\":%" PRIu64 "}",
            t->requests, t->answered, t->defaulted, t->records);
}

static void write_counts(const struct sim *sim, FILE *f)
{
    struct sim_tally sum = {0};
    const char *comma = "";

    fputs("\"counts\":[", f);
    for (unsigned int v = 0; v < nr_vcpus(sim); v++) {
        for (unsigned int r = 0; r < XEN_VM_RING_NR_REASONS; r++) {
            const struct sim_tally *t = &sim->vcpus[v].tally[r];

            if (is_zero(t))
                continue;
            fprintf(f, "%s\n{\"vcpu\":%u,\"reason\":\"%s\",", comma, v,
                    vmring_reason_name(r));
            write_four(f, t);
            sum.requests += t->requests;
            sum.answered += t->answered;
            sum.defaulted += t->defaulted;
            sum.records += t->records;
            comma = ",";
        }
    }
    fputs("],\n\"total\":{", f);
    write_four(f, &sum);
}

static void write_guest(const struct sim *sim, FILE *f)
{
    fputs("\"guest\":[", f);
    for (unsigned int id = 0; id < nr_vcpus(sim); id++) {
        const struct sim_vcpu *v = &sim->vcpus[id];

        fprintf(f,
                "%s\n{\"vcpu\":%u,\"passed\":%" PRIu64 ",\"trapped\":%" PRIu64
                ",\"denied\":%" PRIu64 ",\"cpuid_wrong\":%" PRIu64
                ",\"stray\":%" PRIu64 ",\"refused\":%" PRIu64 "}",
                id ? "," : "", id, v->passed, v->trapped, v->denied,
                v->cpuid_wrong, v->stray, v->refused);
    }
    fputs("]", f);
}

static void write_json(const struct sim *sim, FILE *f)
{
    fprintf(f,
            "{\"format\":\"vmring-sim-truth\",\"version\":1,\n"
            "\"name\":\"%s\",\"seed\":%" PRIu64 ",\"vcpus\":%u,\"ended\":%s,\n",
            sim->params.name, sim->params.seed, nr_vcpus(sim),
            sim->nr_done == sim->params.nr_vcpus ? "true" : "false");
    write_counts(sim, f);
    fputs(",\n", f);
    write_guest(sim, f);
    fputs("}\n", f);
}

int sim_open_truth(struct sim *sim)
{
    int fd, err;

    if (!*sim->params.truth)
        return 0;
    /* What is no file but a FIFO, whose reader may be slow, keeps nobody. */
    fd = open(sim->params.truth,
              O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0666);
    if (fd < 0)
        return -errno;
    sim->truth = fdopen(fd, "w");
    err = -errno;
    if (!sim->truth)
        close(fd);
    return sim->truth ? 0 : err;
}

int sim_write_truth(const struct sim *sim)
{
    FILE *f = sim->truth;
    int err = 0;

    if (!f)
        return 0;
    rewind(f);
    write_json(sim, f);
    if (fflush(f) || ferror(f)) {
        err = errno ? -errno : -EIO;
        /* Not the rest of it either, when it is closed. */
        __fpurge(f);
        (void)!ftruncate(fileno(f), 0);
    }
    return err;
}
