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

/*
 * The table at the end of a run.  With many vCPUs, only the sums per reason
 * and the vCPUs that have lost something, unless `all`.
 */
void table_ledger(struct output *out, const struct ledger *ledger,
                  const struct vmring_info *info, bool all);

/*
 * `-e help`: every kind of event; bit i of *supported tells whether the
 * producer can arm the i-th, NULL if none was asked.
 */
void table_kinds(struct output *out, const uint64_t *supported);

#endif /* AGENT_TABLE_H */
