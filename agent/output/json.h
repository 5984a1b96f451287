/* SPDX-License-Identifier: MIT */
/*
 * json.h: the format for programs, one JSON object a line.
 *
 * What is counted, measured or compared is a number.  What the field writes in
 * hexadecimal, as it is an address, the contents or number of a register, a
 * leaf or a mask, is a string, "0x...": JSON's readers keep 53 bits.
 * vmring-agent(8) has the keys and the promise that goes with JSON_VERSION.
 */
#ifndef AGENT_JSON_H
#define AGENT_JSON_H

#include "format.h"

/* Another when a key goes, or its meaning or type changes; not for new keys. */
#define JSON_VERSION 1

/* {"version": ..., "attached": ...} */
void json_attached(struct output *out, const struct attached *attached);

/* {"event": ...} */
void json_event(struct output *out, const struct line *line);

/* {"target": ..., "reason": ...}: the reason may be null. */
void json_target(struct output *out, const struct vmring_event *event,
                 enum times times);

/* {"event": ..., "out_of_order": true} */
void json_unordered(struct output *out, const char *line, size_t len);

/* {"version": ..., "ledger": ...} */
void json_ledger(struct output *out, const struct report *report);

/* {"version": ..., "kind": ...} for each kind of event. */
void json_kinds(struct output *out, const uint64_t *supported);

#endif /* AGENT_JSON_H */
