/* SPDX-License-Identifier: MIT */
/*
 * json.h: the outputs for programs, one JSON object a line.
 *
 * Fields of an event that have 64 bits are strings of hexadecimal digits,
 * "0x...", since JSON's readers keep 53 bits; all others, and counts, are
 * numbers.  vmring-agent(8) lists the keys; those that exist keep their
 * meaning, and new ones may come.
 */
#ifndef AGENT_JSON_H
#define AGENT_JSON_H

#include <stdint.h>

#include "ledger.h"
#include "output.h"
#include "text.h"

/* {"attached": ...}: once, before all events. */
void json_attached(struct output *out, const struct vmring_info *info,
                   const char *endpoint, const char *events, uint64_t start_ns);

/* {"event": ...} */
void json_event(struct output *out, const struct line *line);

/* {"target": ...}: its state has changed, and `reason` says why, or is null. */
void json_target(struct output *out, const struct vmring_event *event);

/* {"ledger": ...}: `ending` and `shutdown` (or NULL) say why it ended. */
void json_ledger(struct output *out, const struct ledger *ledger,
                 const struct vmring_info *info, const char *ending,
                 const char *shutdown);

/* {"kind": ...} for each kind of event; see table_kinds(). */
void json_kinds(struct output *out, const uint64_t *supported);

#endif /* AGENT_JSON_H */
