/* SPDX-License-Identifier: MIT */
/*
 * sim.h: a simulated x86 guest, a source of events for a producer.
 *
 * Deterministic from its seed.  Knows nothing of threads or event loops: its
 * owner (the in-process endpoint, or vmring-bridge) runs it.
 */
#ifndef VMRING_SIM_SIM_H
#define VMRING_SIM_SIM_H

#include "../vmring.h"

struct sim;

/* What sim_run() returns besides a number of ms to wait. */
#define SIM_WAITING (-1) /* until a verdict, or a subscription */
#define SIM_ENDED   (-2) /* every vCPU has done its work; the guest is off */

/*
 * Parses "vcpus=4,count=1000,..."; sim/params.h has the keys.  0; -ENOMEM; and
 * with one line in error -EINVAL, or what the file of truth= gives.
 */
int sim_open(const char *params, struct sim **sim, char *error,
             size_t error_len);
void sim_close(struct sim *sim);

unsigned int sim_nr_vcpus(const struct sim *sim);

/* For vmring_producer_opts.target: the name of the guest. */
const char *sim_name(const struct sim *sim);

/* For vmring_producer_opts: the context is the struct sim *. */
extern const struct vmring_producer_ops sim_producer_ops;

/*
 * Gives it the producer that it raises its events into; borrowed.  NULL takes
 * it back: before closing it, so that its last verdicts may still come.
 */
void sim_start(struct sim *sim, struct vmring_producer *producer);

/*
 * Raises what is due, a bounded number, and flushes.  Returns 0: more is due
 * now; the ms until more is due; SIM_WAITING; SIM_ENDED.
 */
int sim_run(struct sim *sim);

/*
 * Carries out a verdict: the vCPU goes on.  VMRING_OVERDUE pauses the guest
 * until the verdict comes, and the target state says so.
 */
void sim_verdict(struct sim *sim, const struct vmring_verdict *verdict);

/*
 * Its own count of what it raised, not the ring's: rows as vmring_counts(),
 * to be freed; requests, answered, defaulted and records are filled.
 */
int sim_truth(const struct sim *sim, struct vmring_count **counts);

/*
 * Writes the truth as one JSON object to the file of `truth=FILE`, if that
 * parameter was given.  0 or -errno; then the file is empty.
 */
int sim_write_truth(const struct sim *sim);

#endif /* VMRING_SIM_SIM_H */
