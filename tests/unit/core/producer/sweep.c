/* SPDX-License-Identifier: MIT */
/*
 * Description: the last look at a consumer's region finds answers that have
 * no bit, once; after it the region is not read again.
 */
#include <sys/mman.h>

#include "rig.h"

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(70, 2, 0, 2);
    struct xen_vm_ring_response response = {.reason = XEN_VM_RING_REASON_CPUID};
    struct xen_vm_ring_event event = rig_event(1, 0, 1);
    struct vmr_verdict verdict;
    struct vmr_request request;
    unsigned int found = 0;

    rig_make(&rig, &geo);
    for (uint32_t v = 0; v < 70; v++) {
        request = rig_request(v, v, 1000);
        CHECK(vmr_producer_post(&rig.tx, &request));
        request = rig_request(v, 100 + v, 1000);
        CHECK(vmr_producer_post(&rig.tx, &request));
        if (v % 3 == 0)
            vmr_slot_answer(&rig.rx.slots[v], 1, &response);
    }
    CHECK(!rig_collect(&rig, &verdict)); /* without a bit, nobody looks */
    vmr_producer_sweep(&rig.tx);
    while (rig_collect(&rig, &verdict)) {
        CHECK_EQ(verdict.by, VMR_BY_CONSUMER);
        CHECK_EQ(verdict.request.cookie % 3, 0);
        CHECK(verdict.request.cookie < 70);
        found++;
    }
    CHECK_EQ(found, 24);
    CHECK(!rig.tx.attached);
    CHECK(mprotect(rig.c, geo.c_len, PROT_NONE) == 0);
    for (uint32_t v = 0; v < 71; v++)
        for (int i = 0; i < 4; i++)
            (void)vmr_producer_push(&rig.tx, v, &event);
    CHECK_EQ(vmr_producer_flush(&rig.tx), 0);
    CHECK_EQ(vmr_producer_wake(&rig.tx), 0);
    CHECK(vmr_producer_arm(&rig.tx));
    vmr_producer_sweep(&rig.tx);
    CHECK(!rig_collect(&rig, &verdict));
    vmr_producer_freeze(&rig.tx);
    rig.now = 1000;
    while (rig_collect(&rig, &verdict)) {
        CHECK_EQ(verdict.by, VMR_BY_DEADLINE);
        found++;
    }
    CHECK_EQ(found, 140);
    return 0;
}
