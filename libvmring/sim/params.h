/* SPDX-License-Identifier: MIT */
/* params.h: what a simulated guest is asked to be, "vcpus=4,count=1000". */
#ifndef VMRING_SIM_PARAMS_H
#define VMRING_SIM_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../vmring.h"

/* The kinds of work of the guest, each of which can raise an event. */
enum sim_work {
    SIM_CPUID,
    SIM_CR0,
    SIM_CR3,
    SIM_CR4,
    SIM_MSR,
    SIM_GREQ, /* guest request */
    SIM_INT3,
    SIM_DB, /* debug exception */
    NR_SIM_WORK
};

#define SIM_NO_MSR UINT64_MAX

struct sim_params {
    uint64_t nr_vcpus;
    uint64_t count; /* armed events a vCPU raises before its end; 0: endless */
    uint64_t rate;  /* events/s over all vCPUs; 0: as fast as possible */
    uint64_t seed;
    uint64_t batch; /* events raised between two flushes, at most */
    uint64_t msr;   /* the only MSR written, or SIM_NO_MSR */
    bool counted;   /* asked[] says how much work there is, not count */
    uint64_t asked[NR_SIM_WORK];  /* of each kind, per vCPU */
    uint64_t weight[NR_SIM_WORK]; /* of each kind in the mix */
    bool start_now;               /* runs whether or not anything is armed */
    char truth[1024];
    char name[64];
    /* Of the in-process endpoint. */
    uint64_t deadline_ms; /* 0: the producer's default */
    uint64_t max_async;   /* bytes; 0: the producer's default */
    uint32_t on_deadline; /* VMRING_DEADLINE_* */
    uint32_t verdicts;    /* allow-list */
};

/*
 * Fills *params from keys separated by commas:
 *   vcpus=N           1 to 4096; default 4
 *   count=N           armed events that each vCPU raises before the guest
 *                     shuts down; 0: endless; default 1000
 *   mix=KIND:N/...    weights of the kinds of work in it; default: a guest
 *                     that mostly switches between processes
 *   KIND=N            instead of count and mix: exactly so much work of each
 *                     kind per vCPU, in a random order; what is not armed
 *                     passes.  Kinds: cpuid cr0 cr3 cr4 msr greq int3 db
 *   msrnr=N           the MSR written; default: those of system calls
 *   rate=N            events/s over all vCPUs, work that is not armed takes
 *                     no time; 0: as fast as possible, the default
 *   seed=N            default 1
 *   batch=N           events raised between two doorbells, at most
 *   start=subscribe   the guest stands still while nothing is armed
 *   start=now         it runs from the beginning
 *   truth=FILE        sim_write_truth() writes there
 *   name=TEXT         of the target; default "sim"
 * and, if `endpoint`:
 *   deadline=MS, on-deadline=neutral|pause, verdicts=NAME/NAME/..., max-async=N
 *
 * 0; -EINVAL and one line in error.
 */
int sim_params_parse(const char *text, bool endpoint, struct sim_params *params,
                     char *error, size_t error_len);

/*
 * The i-th line about these keys, less than 80 columns, and its length;
 * -ENOENT behind the last.
 */
int sim_params_help(bool endpoint, unsigned int i, char text[VMRING_LINE]);

/* "cpuid", "greq"... */
const char *sim_work_name(enum sim_work work);

#endif /* VMRING_SIM_PARAMS_H */
