/* SPDX-License-Identifier: MIT */
#include "arming.h"

static const uint32_t msr_numbers[] = {
    [SIM_STAR] = 0xc0000081,           [SIM_LSTAR] = 0xc0000082,
    [SIM_CSTAR] = 0xc0000083,          [SIM_SFMASK] = 0xc0000084,
    [SIM_SYSENTER_CS] = 0x174,         [SIM_SYSENTER_ESP] = 0x175,
    [SIM_SYSENTER_EIP] = 0x176,        [SIM_FS_BASE] = 0xc0000100,
    [SIM_KERNEL_GS_BASE] = 0xc0000102,
};

/* By reason; control registers by their index in VM_EVENT_X86_*. */
static const struct {
    uint16_t reason;
    uint16_t index;
    enum sim_work work;
} raises[] = {
    {XEN_VM_RING_REASON_WRITE_CTRLREG, 0, SIM_CR0},
    {XEN_VM_RING_REASON_WRITE_CTRLREG, 1, SIM_CR3},
    {XEN_VM_RING_REASON_WRITE_CTRLREG, 2, SIM_CR4},
    {XEN_VM_RING_REASON_CPUID, 0, SIM_CPUID},
    {XEN_VM_RING_REASON_GUEST_REQUEST, 0, SIM_GREQ},
    {XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT, 0, SIM_INT3},
    {XEN_VM_RING_REASON_DEBUG_EXCEPTION, 0, SIM_DB},
};

uint64_t sim_msr_number(const struct sim_params *params, enum sim_msr msr)
{
    if (params->msr == SIM_NO_MSR)
        return msr == SIM_OTHER_MSR ? SIM_NO_MSR : msr_numbers[msr];
    return msr == SIM_OTHER_MSR ? params->msr : SIM_NO_MSR;
}

static bool arm_msrs(struct sim_arming *arming, const struct sim_params *params,
                     const struct vmring_spec *spec, struct sim_armed armed)
{
    bool found = false;

    for (unsigned int m = 0; m < NR_SIM_MSRS; m++) {
        uint64_t number = sim_msr_number(params, m);

        /* SIM_NO_MSR is beyond any range. */
        if (number < spec->first || number > spec->last)
            continue;
        arming->msr[m] = armed;
        found = true;
    }
    return found;
}

bool sim_arm(struct sim_arming *arming, const struct sim_params *params,
             const struct vmring_spec *spec)
{
    struct sim_armed armed = {
        .mode = spec->mode == VMRING_MODE_ASYNC ? VMRING_MODE_ASYNC
                                                : VMRING_MODE_SYNC,
        .onchange = spec->flags & VMRING_SPEC_ONCHANGE,
    };

    if (spec->reason == XEN_VM_RING_REASON_MOV_TO_MSR)
        return arm_msrs(arming, params, spec, armed);
    for (unsigned int i = 0; i < sizeof(raises) / sizeof(*raises); i++) {
        if (raises[i].reason == spec->reason &&
            raises[i].index == spec->first) {
            arming->work[raises[i].work] = armed;
            return true;
        }
    }
    return false;
}
