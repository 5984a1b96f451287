/* SPDX-License-Identifier: MIT */
/*
 * Description: a group that is never drained keeps no other's request or
 * record waiting for more than a batch.
 */
#include "pair.h"

#define BATCH 32 /* of a lane, in core/consumer.c */

static struct pair pair;

/* Of `tries` events, while vCPU 0 goes on: the first of vCPU 1's, or 0. */
static unsigned int first_of_other(unsigned int tries)
{
    struct xen_vm_ring_event record = pair_event(XEN_VM_RING_REASON_VMEXIT, 0);
    struct vmring_event event;

    for (unsigned int i = 1; i <= tries; i++) {
        CHECK(vmring_producer_push(pair.producer, 0, &record) >= 0);
        vmring_producer_flush(pair.producer);
        CHECK_EQ(vmring_next(pair.ring, &event), 1);
        if (event.lane == 1)
            return i;
    }
    return 0;
}

int main(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct vmring_opts ours = {.size = sizeof(ours), .nr_groups = 2};
    struct xen_vm_ring_event request =
        pair_event(XEN_VM_RING_REASON_WRITE_CTRLREG, 1);
    struct xen_vm_ring_event record = pair_event(XEN_VM_RING_REASON_VMEXIT, 0);
    struct vmring_event event;
    unsigned int after;

    pair_make(&pair, &opts);
    pair_attach(&pair, &ours);
    while (vmring_next(pair.ring, &event) == 1)
        ;
    /* Some in hand, so that the lane is never empty. */
    for (int i = 0; i < 8; i++)
        CHECK_EQ(vmring_producer_push(pair.producer, 0, &record), 1);
    vmring_producer_flush(pair.producer);
    (void)first_of_other(4);

    CHECK_EQ(vmring_producer_post(pair.producer, &request, 1), 0);
    after = first_of_other(10 * BATCH);
    CHECK(after && after <= 2 * BATCH);

    record.vcpu = 1;
    CHECK_EQ(vmring_producer_push(pair.producer, 1, &record), 1);
    after = first_of_other(10 * BATCH);
    CHECK(after && after <= 2 * BATCH);
    pair_end(&pair);
    return 0;
}
