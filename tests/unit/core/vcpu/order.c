/* SPDX-License-Identifier: MIT */
/*
 * Description: a vCPU's requests get their verdicts in the order in which they
 * were posted, each stays until it is retired, and then the next is visible,
 * under a seq of its own, wherever in the FIFO they lie.
 */
#include "by_vcpu.h"

#define STEPS 2000

static struct rig rig;
static uint64_t posted[3], retired[3], seqs[3];

static void post(uint32_t vcpu)
{
    bool is_full = posted[vcpu] - retired[vcpu] == VMR_FIFO;

    CHECK_EQ(!vmr_vcpu_reserve(&rig.tx, vcpu), is_full);
    if (!is_full)
        (void)vcpu_post(&rig, vcpu, ++posted[vcpu], VMR_NO_DEADLINE);
}

static void serve(uint32_t vcpu)
{
    struct xen_vm_ring_event event;

    if (posted[vcpu] == retired[vcpu]) {
        CHECK(!vmr_vcpu_first(&rig.tx, vcpu));
        vcpu_waits(&rig, vcpu);
        return;
    }
    event = vcpu_taken(&rig, vcpu, retired[vcpu] + 1);
    CHECK_EQ(event.state, seqs[vcpu] + 1);
    vcpu_none_taken(&rig, vmr_group_of(&rig.geo, vcpu));
    vcpu_answer(&rig, &event, 0);
    for (int i = 0; i < 2; i++)
        (void)vcpu_verdict(&rig, vcpu, retired[vcpu] + 1, VMR_BY_CONSUMER);
    (void)vmr_vcpu_retire(&rig.tx, vcpu);
    retired[vcpu]++;
    seqs[vcpu] = event.state + 1;
    /* Taken back, or the next is there already. */
    CHECK_EQ(rig_slot(&rig, vcpu)->state,
             seqs[vcpu] + (posted[vcpu] != retired[vcpu]));
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(3, 3, 0, 2);
    uint64_t seed = 1;

    rig_make(&rig, &geo);
    for (int i = 0; i < STEPS; i++) {
        uint32_t vcpu = rig_random(&seed) % 3;

        if (rig_random(&seed) % 2)
            post(vcpu);
        else
            serve(vcpu);
    }
    for (uint32_t v = 0; v < 3; v++)
        CHECK(retired[v] > 5 * VMR_FIFO);
    return 0;
}
