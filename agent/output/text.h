/* SPDX-License-Identifier: MIT */
/*
 * text.h: the format for people: a line an event, and tables.
 */
#ifndef AGENT_TEXT_H
#define AGENT_TEXT_H

#include "format.h"

void text_event(struct output *out, const struct line *line);
void text_target(struct output *out, const struct vmring_event *event,
                 enum times times);
void text_unordered(struct output *out, const char *line, size_t len);

/*
 * With many vCPUs, only the sums per reason and the vCPUs that have lost
 * something, unless report->all.
 */
void text_ledger(struct output *out, const struct report *report);
void text_summary(struct output *out, const struct summary *summary, bool all);

void text_kinds(struct output *out, const uint64_t *supported);

/* The fields of events, with what they mean, for -F help. */
void text_fields(struct output *out);

#endif /* AGENT_TEXT_H */
