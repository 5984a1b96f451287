/* SPDX-License-Identifier: MIT */
/*
 * Description: a slot with no request, and one with no consumer, gives
 * nothing to collect and nothing to retire; a late answer is not written.
 */
#include "rig.h"

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(1, 1, 0, 2);
    struct vmr_request request = rig_request(0, 1, 1000);
    struct xen_vm_ring_response response = {.reason = XEN_VM_RING_REASON_CPUID};
    struct xen_vm_ring_event event;
    struct vmr_verdict verdict;
    struct vmr_slot_tx *tx;
    uint32_t where;

    rig_make(&rig, &geo);
    tx = &rig.tx.slots[0];
    CHECK(!vmr_slot_first(tx));
    CHECK(!vmr_slot_post(tx));
    vmr_slot_retire(tx);
    CHECK_EQ(tx->nr, 0);
    CHECK_EQ(tx->seq, 0);
    CHECK_EQ(vmr_slot_collect(tx, &response), VMR_COLLECT_NONE);

    CHECK(vmr_producer_post(&rig.tx, &request));
    CHECK_EQ(vmr_consumer_take(&rig.rx, 0, &event, &where), VMR_NEXT_REQUEST);
    rig.now = 1000;
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_DEADLINE);
    CHECK(!vmr_consumer_answer(&rig.rx, 0, event.state, &response));
    CHECK_EQ(rig_response(&rig, 0)->seq, 0);
    CHECK(!vmr_consumer_flush(&rig.rx, 0));

    CHECK(vmr_producer_post(&rig.tx, &request));
    vmr_slot_tx_detach(tx);
    CHECK_EQ(vmr_slot_collect(tx, &response), VMR_COLLECT_NONE);
    return 0;
}
