/* SPDX-License-Identifier: MIT */
/* guest.h: the inside of struct sim. */
#ifndef VMRING_SIM_GUEST_H
#define VMRING_SIM_GUEST_H

#include <stdio.h>

#include "arming.h"
#include "params.h"
#include "sim.h"
#include "vcpu.h"

/* vCPUs that can go on, in the order of their turns. */
struct sim_queue {
    unsigned int *ids; /* nr_vcpus of them, used as a ring */
    unsigned int first, nr;
};

struct sim {
    struct sim_params params;
    struct sim_arming arming;
    struct sim_vcpu *vcpus;
    struct sim_queue ready;
    struct vmring_producer *producer;
    unsigned int nr_done;
    FILE *truth;             /* the file of truth=, or NULL */
    unsigned int nr_overdue; /* verdicts for which the guest is paused */
    bool running;            /* has begun */
    uint64_t began;          /* ns, CLOCK_MONOTONIC */
    uint64_t allotted;       /* events that the rate has allowed since */
};

/* Params count in 64 bits what they hold below 2^32. */
static inline unsigned int nr_vcpus(const struct sim *sim)
{
    return (unsigned int)sim->params.nr_vcpus;
}

/* The guest runs from now on, if it did not yet. */
void sim_begin(struct sim *sim);

/* As sim_open(), of parameters already parsed. */
int sim_create(const struct sim_params *params, struct sim **sim);

/*
 * Opens the file of truth=, if there is one: at the end this process may not
 * open files any more.  0 or -errno.
 */
int sim_open_truth(struct sim *sim);

#endif /* VMRING_SIM_GUEST_H */
