/* SPDX-License-Identifier: MIT */
/*
 * summary.h: how many events there were of each reason, leaf, MSR, register,
 * and from where (-c).
 *
 * Of each of these so many different values are counted for themselves, those
 * that come first; all further ones as others, so that a guest cannot make
 * this grow.
 */
#ifndef AGENT_SUMMARY_H
#define AGENT_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../libvmring/vmring.h"

#define SUMMARY_MOST 4096

enum summary_by {
    SUMMARY_REASON,
    SUMMARY_LEAF,     /* of CPUID */
    SUMMARY_MSR,      /* that was written */
    SUMMARY_REGISTER, /* a control register that was */
    SUMMARY_RIP,
    SUMMARY_NR,
};

struct summary;

struct summary_row {
    uint64_t value;
    uint64_t events;
};

/* NULL: no memory.  Free takes NULL. */
struct summary *summary_new(void);
void summary_free(struct summary *summary);

/* A value that there is no memory for is one of the others. */
void summary_count(struct summary *summary, const struct vmring_event *event,
                   uint32_t arch);

/* Adds what another thread has counted. */
void summary_add(struct summary *summary, const struct summary *other);

/* Events that were counted. */
uint64_t summary_events(const struct summary *summary);

/*
 * The first `nr` rows, those with the most events first.  Returns how many
 * there are; *others: events of all others, *values: of so many values, at
 * least so many if *more.
 */
size_t summary_top(const struct summary *summary, enum summary_by by,
                   struct summary_row *rows, size_t nr, uint64_t *others,
                   size_t *values, bool *more);

#endif /* AGENT_SUMMARY_H */
