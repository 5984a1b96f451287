/* SPDX-License-Identifier: MIT */
/* vcpu.h: one simulated vCPU: its registers, its work, its own counts. */
#ifndef VMRING_SIM_VCPU_H
#define VMRING_SIM_VCPU_H

#include "arming.h"
#include "params.h"

#include "../vmring.h"

/* Counted by the guest's side before it tells the producer. */
struct sim_tally {
    uint64_t requests, answered, defaulted, records;
};

/* Work begun, not yet in effect. */
struct sim_step {
    enum sim_work work;
    enum sim_msr msr;    /* SIM_MSR */
    uint64_t value;      /* SIM_CR*, SIM_MSR: to be written */
    uint32_t results[4]; /* SIM_CPUID: eax, ebx, ecx, edx */
};

struct sim_vcpu {
    unsigned int id;
    uint64_t random;             /* its own stream */
    uint64_t turn;               /* steps so far */
    uint64_t msr_turn;           /* MSR writes so far */
    uint64_t raised;             /* events so far: cookie of the last */
    uint64_t left;               /* of what was asked for, all kinds */
    uint64_t asked[NR_SIM_WORK]; /* left of each kind */
    bool waiting;                /* for the verdict on `step` */
    bool overdue;                /* the guest is paused for that verdict */
    bool done;
    struct sim_step step;
    struct xen_vm_ring_regs_x86 regs;
    xen_vm_ring_u64 msrs[NR_SIM_MSRS]; /* those that regs has not */
    struct sim_tally tally[XEN_VM_RING_NR_REASONS];
    /* What the guest itself noticed. */
    uint64_t passed;      /* steps that were not armed */
    uint64_t trapped;     /* its own #BP and #DB that reached it */
    uint64_t denied;      /* writes that were without effect */
    uint64_t cpuid_wrong; /* CPUID gave it another result than Xen's */
    uint64_t stray;       /* verdicts that it did not wait for */
    uint64_t refused;     /* events that the producer would not take */
};

void sim_vcpu_boot(struct sim_vcpu *v, unsigned int id,
                   const struct sim_params *params);

/*
 * Does one step.  True: it is armed; *event is what is to be raised, *mode
 * how.  A synchronous one takes effect in sim_vcpu_resume().
 */
bool sim_vcpu_step(struct sim_vcpu *v, const struct sim_params *params,
                   const struct sim_arming *arming,
                   struct xen_vm_ring_event *event, uint8_t *mode);

/* The verdict: flags 0 is the neutral one. */
void sim_vcpu_resume(struct sim_vcpu *v,
                     const struct xen_vm_ring_response *response);

/* Has it done all that was asked for? */
bool sim_vcpu_finished(const struct sim_vcpu *v,
                       const struct sim_params *params);

#endif /* VMRING_SIM_VCPU_H */
