/* SPDX-License-Identifier: MIT */
/*
 * Description: an answer that is there when the producer looks counts, even
 * past the deadline, and if its bit is not set yet; of a consumer that has
 * gone too, in the last look.
 */
#include "rig.h"

static struct rig rig;

static void answered_late(bool gone, bool told)
{
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 2);
    struct vmr_request request = rig_request(1, 5, 100);
    struct xen_vm_ring_event event;
    struct vmr_verdict verdict;
    uint32_t where;

    rig_make(&rig, &geo);
    CHECK(vmr_producer_post(&rig.tx, &request));
    request = rig_request(0, 6, 100);
    CHECK(vmr_producer_post(&rig.tx, &request));
    (void)vmr_producer_flush(&rig.tx);
    do
        CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where),
                 VMR_NEXT_REQUEST);
    while (where != 1);
    if (told) {
        (void)rig_answer(&rig, &event, 1);
    } else {
        /* Stored, and then preempted or killed. */
        CHECK(vmr_consumer_answer(
            &rig.rx, 1, event.state,
            &(struct xen_vm_ring_response){.reason = event.reason}));
    }
    if (gone) {
        vmr_producer_sweep(&rig.tx);
        vmr_producer_release(&rig.tx);
    }
    rig.now = 1000;
    for (int i = 0; i < 2; i++) {
        CHECK(rig_collect(&rig, &verdict));
        /* Of one that has gone all answers come first. */
        CHECK_EQ(verdict.request.cookie, gone ? 5 + i : 6 - i);
        if (verdict.request.cookie == 5)
            CHECK_EQ(verdict.by, VMR_BY_CONSUMER);
        else
            CHECK_EQ(verdict.by, gone ? VMR_BY_DETACH : VMR_BY_DEADLINE);
    }
    CHECK(!rig_collect(&rig, &verdict));
    /* Its bit, which comes after it, stands for nothing, and is no lie. */
    CHECK_EQ(rig.tx.ignored, 0);
}

int main(void)
{
    for (int i = 0; i < 4; i++)
        answered_late(i & 1, i & 2);
    return 0;
}
