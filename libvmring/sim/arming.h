/* SPDX-License-Identifier: MIT */
/* arming.h: which work of a simulated guest raises events, and how. */
#ifndef VMRING_SIM_ARMING_H
#define VMRING_SIM_ARMING_H

#include "params.h"

#include "../vmring.h"

/* The MSRs that the guest writes; the last is that of msrnr=N. */
enum sim_msr {
    SIM_STAR,
    SIM_LSTAR,
    SIM_CSTAR,
    SIM_SFMASK,
    SIM_SYSENTER_CS,
    SIM_SYSENTER_ESP,
    SIM_SYSENTER_EIP,
    NR_SIM_BOOT_MSRS, /* those before are written at boot */
    SIM_FS_BASE = NR_SIM_BOOT_MSRS,
    SIM_KERNEL_GS_BASE,
    SIM_OTHER_MSR,
    NR_SIM_MSRS
};

struct sim_armed {
    uint8_t mode; /* VMRING_MODE_SYNC or _ASYNC; 0: not armed */
    bool onchange;
};

struct sim_arming {
    bool any;
    struct sim_armed work[NR_SIM_WORK]; /* but SIM_MSR, which has its own */
    struct sim_armed msr[NR_SIM_MSRS];
};

/* Its number, or SIM_NO_MSR if the guest has no such register. */
uint64_t sim_msr_number(const struct sim_params *params, enum sim_msr msr);

/* Adds one event; false: no work of this guest can raise it. */
bool sim_arm(struct sim_arming *arming, const struct sim_params *params,
             const struct vmring_spec *spec);

#endif /* VMRING_SIM_ARMING_H */
