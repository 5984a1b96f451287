/* SPDX-License-Identifier: MIT */
/*
 * json.h: the outputs for programs, one JSON object a line.
 *
 * What is counted, measured or compared is a number.  What the field writes in
 * hexadecimal, as it is an address, the contents or number of a register, a
 * leaf or a mask, is a string, "0x...": JSON's readers keep 53 bits.
 * vmring-agent(8) has the keys and the promise that goes with JSON_VERSION.
 */
#ifndef AGENT_JSON_H
#define AGENT_JSON_H

#include <stdint.h>

#include "ledger.h"
#include "output.h"
#include "run.h"
#include "text.h"

/* Another when a key goes, or its meaning or type changes; not for new keys. */
#define JSON_VERSION 1

/* {"version": ..., "attached": ...}: once, before all events. */
void json_attached(struct output *out, const struct vmring_info *info,
                   const struct options *options, const struct origin *origin);

/* {"event": ...} */
void json_event(struct output *out, const struct line *line);

/* {"target": ...}: its state has changed, and `reason` says why, or is null. */
void json_target(struct output *out, const struct vmring_event *event);

/*
 * {"version": ..., "ledger": ...}: `ending` and `shutdown` (or NULL) say why it
 * ended; `all`: of a summary as much as table_summary() shows then.
 */
void json_ledger(struct output *out, const struct ledger *ledger,
                 const struct vmring_info *info, const char *ending,
                 const char *shutdown, bool all);

/* {"version": ..., "kind": ...} for each kind of event; see table_kinds(). */
void json_kinds(struct output *out, const uint64_t *supported);

#endif /* AGENT_JSON_H */
