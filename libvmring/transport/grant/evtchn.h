/* SPDX-License-Identifier: MIT */
/*
 * evtchn.h: doorbells that are event channels, one a group.
 *
 * A port that was rung is masked until it is acknowledged, and stays so when
 * all that have one budget are rung more often than that allows (budget.h), by
 * however many ports.
 */
#ifndef VMRING_TRANSPORT_GRANT_EVTCHN_H
#define VMRING_TRANSPORT_GRANT_EVTCHN_H

#include <stddef.h>
#include <stdint.h>

#include "../budget.h"

struct evtchn;
struct xenevtchn_handle;

/*
 * A handle for evtchn_offer(), of one struct evtchn at a time: for a process
 * that will not be able to open another.  -ENOENT, -EACCES: no evtchn here.
 */
int evtchn_handle(struct xenevtchn_handle **evtchn, char *error,
                  size_t error_len);
/* NULL is fine. */
void evtchn_handle_close(struct xenevtchn_handle *evtchn);

/*
 * The producer's: `nr` ports, at most 64, that domain `domid` may bind; of a
 * handle that is lent to it, or with NULL of one of its own.
 */
int evtchn_offer(uint32_t domid, uint32_t nr, struct xenevtchn_handle *evtchn,
                 struct evtchn **bells, char *error, size_t error_len);

/* The consumer's: bound to `ports` of domain `domid`.  -EINVAL: no such. */
int evtchn_bind(uint32_t domid, const uint32_t *ports, uint32_t nr,
                struct evtchn **bells, char *error, size_t error_len);

/*
 * Whose rings these count with, of the same thread; NULL: by themselves, as
 * all that one evtchn_offer() or evtchn_bind() gave do.
 */
void evtchn_count_with(struct evtchn *bells, struct budget *budget);

/* Our port of a group. */
uint32_t evtchn_port(const struct evtchn *bells, uint32_t group);

/* Polls readable when there is something to acknowledge. */
int evtchn_fd(const struct evtchn *bells);

/* Never blocks; nothing happens where there is no such group. */
void evtchn_ring(struct evtchn *bells, uint32_t group);

/*
 * No other event channels can be bound by its descriptor from now on.
 * -EOPNOTSUPP: the kernel has no such restriction.
 */
int evtchn_restrict(struct evtchn *bells);

/*
 * What was rung since the last time, bit g for group g; never blocks.  Look
 * at what they stand for afterwards, not before: from now on they ring again.
 */
uint64_t evtchn_ack(struct evtchn *bells);

/* NULL is fine. */
void evtchn_close(struct evtchn *bells);

#endif /* VMRING_TRANSPORT_GRANT_EVTCHN_H */
