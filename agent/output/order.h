/* SPDX-License-Identifier: MIT */
/*
 * order.h: lines of several vCPUs by the time of their events (--sort).
 *
 * Each line is held back for as long as --sort says, and goes out with all
 * before it: by then whatever was seen earlier has come.  What comes later than
 * that is written at once, marked and counted.  Nothing is left out.
 */
#ifndef AGENT_ORDER_H
#define AGENT_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output.h"

/* So much is held at most; then the first of it goes out before its time. */
#define ORDER_MOST_LINES (1U << 18)
#define ORDER_MOST_BYTES ((size_t)64 << 20)

struct order;

/* Writes a line that is out of order, as format.unordered has it. */
typedef void order_mark(struct output *out, const char *line, size_t len);

/* NULL: no memory. */
struct order *order_new(uint64_t hold_ns, order_mark *mark);
void order_free(struct order *order); /* and what it holds; takes NULL */

/*
 * Around the writing of a line to an output that order_feed() gets: what
 * order_begin() returned, and the time, ns.
 */
size_t order_begin(struct output *out);
void order_end(struct output *out, size_t begun, int64_t time);

/* Takes such lines, at `now`, ns of CLOCK_MONOTONIC.  0 or -ENOMEM. */
int order_feed(struct order *order, const char *data, size_t len, uint64_t now);

/* Writes what has been held for long enough; UINT64_MAX: all. */
void order_release(struct order *order, struct output *out, uint64_t now);

/* When to do that next, as `now`; UINT64_MAX: it holds nothing. */
uint64_t order_next(const struct order *order);

/* The latest time that was fed, for a line that has none of its own. */
int64_t order_latest(const struct order *order);

/* Lines that came too late, so far. */
uint64_t order_late(const struct order *order);

#endif /* AGENT_ORDER_H */
