/* SPDX-License-Identifier: MIT */
#include "witness_bells.h"

#include "core/doorbell.h"

static evtchn_fn *arms_of, *rings_of;

void witness_bells_are(evtchn_fn *arms, evtchn_fn *rings)
{
    arms_of = arms;
    rings_of = rings;
}

void __real_doorbell_ring(int fd);
void __wrap_doorbell_ring(int fd);
bool __real_vmr_bell_arm(struct vmr_bell_rx *rx);
bool __wrap_vmr_bell_arm(struct vmr_bell_rx *rx);
void __real_vmr_bell_arm_answers(struct vmr_bell_tx *tx);
void __wrap_vmr_bell_arm_answers(struct vmr_bell_tx *tx);

/* One writer each: a consumer arms, its source rings, or the reverse. */
void __wrap_doorbell_ring(int fd)
{
    if (rings_of)
        __atomic_fetch_add(&rings_of()->rung, 1, __ATOMIC_SEQ_CST);
    __real_doorbell_ring(fd);
}

bool __wrap_vmr_bell_arm(struct vmr_bell_rx *rx)
{
    if (arms_of)
        __atomic_fetch_add(&arms_of()->armed, 1, __ATOMIC_SEQ_CST);
    return __real_vmr_bell_arm(rx);
}

void __wrap_vmr_bell_arm_answers(struct vmr_bell_tx *tx)
{
    if (arms_of)
        __atomic_fetch_add(&arms_of()->armed, 1, __ATOMIC_SEQ_CST);
    __real_vmr_bell_arm_answers(tx);
}
