/* SPDX-License-Identifier: MIT */
/*
 * Description: after a detach each request gets the neutral verdict at once,
 * those that come later too, until somebody attaches.
 */
#include "rig.h"

static struct rig rig;

static void post(uint32_t vcpu, uint64_t number)
{
    struct vmr_request request = rig_request(vcpu, number, 1000);

    request.event.altp2m_idx = 7;
    CHECK(vmr_producer_post(&rig.tx, &request));
}

static void is_let_go(uint64_t number)
{
    struct vmr_verdict verdict;

    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_DETACH);
    CHECK_EQ(verdict.request.cookie, number);
    CHECK_EQ(verdict.response.flags, 0);
    /* Whoever carries it out finds reason and view as they were. */
    CHECK_EQ(verdict.response.reason, XEN_VM_RING_REASON_CPUID);
    CHECK_EQ(verdict.response.altp2m_idx, 7);
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(4, 1, 0, 2);
    struct vmr_verdict verdict;

    rig_make(&rig, &geo);
    post(1, 1);
    post(1, 2);
    post(3, 3);
    vmr_producer_sweep(&rig.tx);
    vmr_producer_release(&rig.tx);
    for (uint64_t number = 1; number <= 3; number++)
        is_let_go(number);
    for (uint64_t number = 4; number < 10; number++) {
        CHECK(!rig_collect(&rig, &verdict));
        post((uint32_t)number % 4, number);
        is_let_go(number);
    }
    rig_attach(&rig);
    post(2, 10);
    CHECK(!rig_collect(&rig, &verdict));
    rig.now = 1000;
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_DEADLINE);
    return 0;
}
