/* SPDX-License-Identifier: MIT */
/* report.h: the statistics at the end, for people and for programs. */
#ifndef BRIDGE_LOOP_REPORT_H
#define BRIDGE_LOOP_REPORT_H

#include <json-c/json.h>

#include "../../libvmring/vmring.h"

struct report_row {
    uint64_t requests, answered, defaulted, records, lost;
};

struct report {
    struct report_row rows[XEN_VM_RING_NR_REASONS];
    struct vmring_producer_stats stats;
};

/* Takes the producer's counts; before it is closed. */
void report_take(struct report *report, struct vmring_producer *producer);

/* Counts a request that came back when the producer was closed. */
void report_drained(struct report *report,
                    const struct vmring_verdict *verdict);

/* Adds the report to the object. */
void report_json(const struct report *report, struct json_object *object);

/* The ledger on standard error. */
void report_print(const struct report *report);

/*
 * Writes the object to an open file: 0 or -errno.  -ETIMEDOUT: nobody has
 * read it for a second.
 */
int report_write(struct json_object *object, int fd);

#endif /* BRIDGE_LOOP_REPORT_H */
