/* SPDX-License-Identifier: MIT */
/*
 * table.h: the ledger, and the kinds of events, as readable tables.
 */
#ifndef AGENT_TABLE_H
#define AGENT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger.h"
#include "output.h"
#include "summary.h"

/*
 * The table at the end of a run.  With many vCPUs, only the sums per reason
 * and the vCPUs that have lost something, unless `all`.
 */
void table_ledger(struct output *out, const struct ledger *ledger,
                  const struct vmring_info *info, bool all);

/* -c: SUMMARY_SHOWN rows of each table, or with `all` SUMMARY_SHOWN_ALL. */
#define SUMMARY_SHOWN     10
#define SUMMARY_SHOWN_ALL 100
void table_summary(struct output *out, const struct summary *summary, bool all);

/*
 * `-e help`: every kind of event; bit i of *supported tells whether the
 * producer can arm the i-th, NULL if none was asked.
 */
void table_kinds(struct output *out, const uint64_t *supported);

#endif /* AGENT_TABLE_H */
