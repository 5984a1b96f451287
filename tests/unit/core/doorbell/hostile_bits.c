/* SPDX-License-Identifier: MIT */
/*
 * Description: bits for nobody, on either side, lead nowhere and keep nobody
 * busy; bits for nothing are counted.
 */
#include "rig.h"

static void fill(void *words, uint32_t nr)
{
    memset(words, 0xff, 8 * (size_t)nr);
}

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(70, 1, 0, 2);
    struct xen_vm_ring_event event;
    struct vmr_verdict verdict;
    struct vmr_request request;
    unsigned char *group;
    uint32_t where;

    rig_make(&rig, &geo);
    group = (unsigned char *)rig_group(&rig, 0);
    while (vmr_consumer_next(&rig.rx, 0, &event, &where) != VMR_NEXT_NONE)
        ;
    for (int round = 0; round < 100; round++) {
        fill(group + geo.attn_request_off, 2);
        fill(group + geo.attn_lane_off, 2);
        CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_NONE);
    }
    for (uint64_t round = 1; round <= 100; round++) {
        fill(rig_answered(&rig, 0), 2);
        /* 70 vCPUs: the 58 bits above are nobody's.  So many at a time. */
        CHECK(!rig_collect(&rig, &verdict));
        CHECK_EQ(rig.tx.ignored, 70 * round - (70 - VMR_COLLECT_LOOKS));
        CHECK(!vmr_producer_arm(&rig.tx));
        CHECK(!rig_collect(&rig, &verdict));
        CHECK_EQ(rig.tx.ignored, 70 * round);
    }
    /* Always set, as by a thread that does nothing else: still answered. */
    request = rig_request(69, 5, VMR_NO_DEADLINE);
    CHECK(vmr_producer_post(&rig.tx, &request));
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_REQUEST);
    (void)rig_answer(&rig, &event, 69);
    fill(rig_answered(&rig, 0), 2);
    CHECK(!rig_collect(&rig, &verdict));
    fill(rig_answered(&rig, 0), 2);
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.request.cookie, 5);
    /* Armed with any value: rung, and set to 0. */
    rig_group(&rig, 0)->armed = UINT64_MAX;
    CHECK_EQ(vmr_producer_wake(&rig.tx), 1);
    CHECK_EQ(rig_group(&rig, 0)->armed, 0);
    return 0;
}
