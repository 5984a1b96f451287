/* SPDX-License-Identifier: MIT */
/*
 * Description: a vCPU that is about to sleep is told of an answer that came
 * before its mark, once for a request, so that a consumer that takes it back
 * keeps nobody busy; of a release or of an answer that was kept, always.
 */
#include "by_vcpu.h"

static struct rig rig;

static bool is_due(void)
{
    return vmr_vcpu_is_due(&rig.tx, 1);
}

static void answer(uint64_t number)
{
    struct xen_vm_ring_event event = vcpu_taken(&rig, 1, number);

    CHECK(!is_due());
    vcpu_answer(&rig, &event, 0); /* and its bit is not set yet */
}

static void by_an_answer(void)
{
    xen_vm_ring_u64 *seq = &rig_response(&rig, 1)->seq;

    CHECK(!is_due()); /* 0 is in P and in C */
    for (uint64_t i = 1; i <= 3; i++) {
        (void)vcpu_post(&rig, 1, i, VMR_NO_DEADLINE);
        answer(i);
        CHECK(is_due());
        for (int n = 0; n < 3; n++) {
            *seq -= 2;
            CHECK(!is_due());
            *seq += 2;
            CHECK(!is_due());
        }
        (void)vcpu_verdict(&rig, 1, i, VMR_BY_CONSUMER);
        (void)vmr_vcpu_retire(&rig.tx, 1);
    }
}

/* To what is not its request. */
static void not_by_others(void)
{
    xen_vm_ring_u64 *seq = &rig_response(&rig, 1)->seq;

    (void)vcpu_post(&rig, 1, 4, VMR_NO_DEADLINE);
    *seq = rig_slot(&rig, 1)->state + 2;
    CHECK(!is_due());
    *seq = rig_slot(&rig, 1)->state - 2;
    CHECK(!is_due());
    rig_response(&rig, 0)->seq = rig_slot(&rig, 1)->state;
    CHECK(!is_due());
}

static void by_what_was_kept(void)
{
    struct xen_vm_ring_response kept;

    answer(4);
    CHECK(is_due());
    CHECK(vmr_vcpu_keep(&rig.tx, 1, &kept));
    for (int i = 0; i < 2; i++)
        CHECK(is_due());
    CHECK(vmr_producer_let_go(&rig.tx));
    for (int i = 0; i < 2; i++)
        CHECK(is_due());
    rig_attach(&rig);
    for (int i = 0; i < 2; i++)
        CHECK(is_due());
    (void)vcpu_verdict(&rig, 1, 4, VMR_BY_CONSUMER);
    (void)vmr_vcpu_retire(&rig.tx, 1);
    CHECK(!is_due());
}

static void by_a_release(void)
{
    (void)vcpu_post(&rig, 1, 5, VMR_NO_DEADLINE);
    CHECK(!is_due());
    vmr_vcpu_release(&rig.tx, 0);
    CHECK(!is_due());
    vmr_vcpu_release(&rig.tx, 1);
    for (int i = 0; i < 2; i++)
        CHECK(is_due());
    CHECK(vmr_producer_let_go(&rig.tx));
    for (int i = 0; i < 2; i++)
        CHECK(is_due());
    (void)vmr_vcpu_retire(&rig.tx, 1);
    CHECK(!is_due());
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 2);

    rig_make(&rig, &geo);
    by_an_answer();
    not_by_others();
    by_what_was_kept();
    by_a_release();
    return 0;
}
