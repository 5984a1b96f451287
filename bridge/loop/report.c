/* SPDX-License-Identifier: MIT */
/* report.c: the statistics at the end. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../log.h"
#include "../outlet.h"
#include "report.h"

#define WRITING_MS 1000

void report_take(struct report *report, struct vmring_producer *producer)
{
    struct vmring_count *counts = NULL;
    int nr = vmring_producer_counts(producer, &counts);

    report->stats.size = sizeof(report->stats);
    vmring_producer_get_stats(producer, &report->stats);
    memset(report->rows, 0, sizeof(report->rows));
    for (int i = 0; i < nr; i++) {
        struct report_row *row;

        if (counts[i].reason >= XEN_VM_RING_NR_REASONS)
            continue;
        row = &report->rows[counts[i].reason];
        row->requests += counts[i].requests;
        row->answered += counts[i].answered;
        row->defaulted += counts[i].defaulted;
        row->records += counts[i].records;
        row->lost += counts[i].discarded;
    }
    if (nr >= 0)
        free(counts);
}

void report_drained(struct report *report, const struct vmring_verdict *verdict)
{
    unsigned int reason = verdict->event.reason;

    if (reason < XEN_VM_RING_NR_REASONS)
        report->rows[reason].defaulted++;
    report->stats.by_detach++;
}

static void add(struct json_object *object, const char *key, uint64_t value)
{
    json_object_object_add(object, key, json_object_new_uint64(value));
}

static struct json_object *row_json(const struct report_row *row)
{
    struct json_object *object = json_object_new_object();

    add(object, "requests", row->requests);
    add(object, "answered", row->answered);
    add(object, "defaulted", row->defaulted);
    add(object, "records", row->records);
    add(object, "lost", row->lost);
    return object;
}

static bool is_empty(const struct report_row *row)
{
    /* Those given up with a frozen P are lost of no reason, and no attempts. */
    return !row->requests && !row->records && !row->lost;
}

void report_json(const struct report *report, struct json_object *object)
{
    const struct vmring_producer_stats *stats = &report->stats;
    struct json_object *reasons = json_object_new_object();
    struct json_object *verdicts = json_object_new_object();

    for (unsigned int i = 0; i < XEN_VM_RING_NR_REASONS; i++) {
        const char *name = vmring_reason_name(i);

        if (name && !is_empty(&report->rows[i]))
            json_object_object_add(reasons, name, row_json(&report->rows[i]));
    }
    json_object_object_add(object, "reasons", reasons);

    add(verdicts, "consumer", stats->answered);
    add(verdicts, "deadline", stats->by_deadline);
    add(verdicts, "detach", stats->by_detach);
    add(verdicts, "overflow", stats->by_overflow);
    json_object_object_add(object, "verdicts", verdicts);

    add(object, "consumers", stats->epochs);
    add(object, "requests", stats->requests);
    add(object, "records", stats->records);
    add(object, "lost", stats->discarded);
    add(object, "ignored_answers", stats->ignored);
    add(object, "lane_faults", stats->lane_faults);
    add(object, "doorbells_sent", stats->doorbells_sent);
    add(object, "doorbells_received", stats->doorbells_received);
    add(object, "kept_bytes", stats->kept_bytes);
}

void report_print(const struct report *report)
{
    const struct vmring_producer_stats *stats = &report->stats;

    bridge_log_plain("%-20s %11s %11s %11s %11s %11s\n", "reason", "requests",
                     "answered", "defaulted", "records", "lost");
    for (unsigned int i = 0; i < XEN_VM_RING_NR_REASONS; i++) {
        const struct report_row *row = &report->rows[i];
        const char *name = vmring_reason_name(i);

        if (is_empty(row))
            continue;
        bridge_log_plain("%-20s %11" PRIu64 " %11" PRIu64 " %11" PRIu64
                         " %11" PRIu64 " %11" PRIu64 "\n",
                         name ? name : "?", row->requests, row->answered,
                         row->defaulted, row->records, row->lost);
    }
    bridge_log_plain("verdicts by: consumer %" PRIu64 ", deadline %" PRIu64
                     ", detach %" PRIu64 ", overflow %" PRIu64
                     "; consumers: %" PRIu64 "\n",
                     stats->answered, stats->by_deadline, stats->by_detach,
                     stats->by_overflow, stats->epochs);
}

/* A terminal or a pipe may have no reader. */
int report_write(struct json_object *object, int fd)
{
    const char *text = json_object_to_json_string_ext(
        object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
    struct outlet *outlet = outlet_open(fd);
    int error, put;

    if (!outlet)
        return -errno;
    put = outlet_put(outlet, text, strlen(text));
    if (!put)
        put = outlet_put(outlet, "\n", 1);
    error = outlet_close(outlet, WRITING_MS);
    return put ? put : error;
}
