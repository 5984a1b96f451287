/* SPDX-License-Identifier: MIT */
/*
 * Description: an answer counts for its very request: one under an earlier,
 * a later or no seq, or after the verdict, is ignored and counted.
 */
#include "rig.h"

static struct rig rig;

static void answer_as(uint64_t seq)
{
    struct xen_vm_ring_response response = {.reason = XEN_VM_RING_REASON_CPUID};

    vmr_slot_answer(&rig.rx.slots[0], seq, &response);
    *rig_answered(&rig, 0) |= 1;
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(1, 1, 0, 2);
    struct vmr_request request = rig_request(0, 77, 100);
    struct vmr_verdict verdict;
    uint64_t ignored = 0;

    rig_make(&rig, &geo);
    answer_as(1); /* nothing is pending */
    CHECK(!rig_collect(&rig, &verdict));
    CHECK_EQ(rig.tx.ignored, ++ignored);
    rig_response(&rig, 0)->seq = 0;

    CHECK(vmr_producer_post(&rig.tx, &request)); /* seq 1 */
    rig.now = 100;
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_DEADLINE);

    request = rig_request(0, 78, 1000);
    CHECK(vmr_producer_post(&rig.tx, &request)); /* seq 3 */
    static const uint64_t wrong[] = {0, 1, 2, 4, 5, 0x100000003, UINT64_MAX};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        answer_as(wrong[i]);
        CHECK(!rig_collect(&rig, &verdict));
        CHECK_EQ(rig.tx.ignored, ++ignored);
    }
    answer_as(3);
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_CONSUMER);
    CHECK_EQ(verdict.request.cookie, 78);
    /* Again: it has its verdict. */
    answer_as(3);
    CHECK(!rig_collect(&rig, &verdict));
    CHECK_EQ(rig.tx.ignored, ++ignored);
    return 0;
}
