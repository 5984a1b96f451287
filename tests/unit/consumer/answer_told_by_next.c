/* SPDX-License-Identifier: MIT */
/*
 * Description: an answer is told by the next vmring_next(), also while events
 * go on coming: its vCPU is not kept until its deadline.
 */
#include "pair.h"

static struct pair pair;

int main(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct vmring_opts ours = {.size = sizeof(ours),
                               .verdicts = XEN_VM_RING_VERDICT_DENY};
    struct xen_vm_ring_event request =
        pair_event(XEN_VM_RING_REASON_WRITE_CTRLREG, 0);
    struct xen_vm_ring_event record = pair_event(XEN_VM_RING_REASON_VMEXIT, 1);
    struct xen_vm_ring_response response;
    struct vmring_verdict verdict;
    struct vmring_event event;

    opts.verdicts = XEN_VM_RING_VERDICTS;
    pair_make(&pair, &opts);
    pair_attach(&pair, &ours);
    while (vmring_next(pair.ring, &event) == 1)
        ;
    CHECK_EQ(vmring_producer_post(pair.producer, &request, 1), 0);
    CHECK(vmring_producer_push(pair.producer, 1, &record));
    CHECK(vmring_producer_push(pair.producer, 1, &record));
    vmring_producer_flush(pair.producer);
    CHECK_EQ(vmring_next(pair.ring, &event), 1);
    CHECK(event.seq & 1);
    vmring_neutral(&event, &response);
    response.flags = XEN_VM_RING_FLAG_DENY;
    CHECK_EQ(vmring_respond(pair.ring, &event, &response), 0);
    CHECK_EQ(vmring_next(pair.ring, &event), 1);
    CHECK_EQ(event.seq, 0);

    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 1);
    CHECK_EQ(verdict.by, VMRING_BY_CONSUMER);
    CHECK_EQ(verdict.response.flags, XEN_VM_RING_FLAG_DENY);
    pair_end(&pair);
    return 0;
}
