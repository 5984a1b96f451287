/* SPDX-License-Identifier: MIT */
/*
 * Description: what is counted as ignored, when answers are found at their
 * deadline and not by their hints: an answer that counted has a hint that
 * stands for nothing, once; one that breaks a rule is counted once.
 */
#include "rig.h"

static struct rig rig;

static void begin(uint32_t flags)
{
    struct vmr_geometry geo = rig_geometry(1, 1, 0, 2);
    struct vmr_request request = rig_request(0, 1, 100);
    struct xen_vm_ring_response response = {.reason = XEN_VM_RING_REASON_CPUID,
                                            .flags = flags};

    rig_make(&rig, &geo);
    rig.now = 0;
    CHECK(vmr_producer_post(&rig.tx, &request));
    vmr_slot_answer(&rig.rx.slots[0], 1, &response);
}

static void hint(uint64_t ignored)
{
    struct vmr_verdict verdict;

    *rig_answered(&rig, 0) = 1;
    CHECK(!rig_collect(&rig, &verdict));
    CHECK_EQ(rig.tx.ignored, ignored);
}

int main(void)
{
    struct vmr_verdict verdict;

    begin(0);
    rig.now = 100;
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_CONSUMER);
    hint(0);
    hint(1);

    /* Found by its hint, then again at its deadline. */
    begin(XEN_VM_RING_FLAG_DENY);
    hint(1);
    rig.now = 100;
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_DEADLINE);
    CHECK_EQ(rig.tx.ignored, 1);

    /* At its deadline alone. */
    begin(XEN_VM_RING_FLAG_DENY);
    rig.now = 100;
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_DEADLINE);
    CHECK_EQ(rig.tx.ignored, 1);
    return 0;
}
