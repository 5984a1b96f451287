/* SPDX-License-Identifier: MIT */
/*
 * Description: groups of several bitmap words: every vCPU and lane is found,
 * answered and collected in its own group alone.
 */
#include "rig.h"

static void all(uint32_t nr_vcpus, uint32_t nr_groups)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(nr_vcpus, nr_groups, 0, 2);
    struct xen_vm_ring_event event;
    struct vmr_request request;
    struct vmr_verdict verdict;
    uint32_t where, group;

    rig_make(&rig, &geo);
    for (uint32_t g = 0; g < nr_groups; g++)
        CHECK_EQ(vmr_consumer_next(&rig.rx, g, &event, &where),
                 nr_vcpus / nr_groups >= 128 ? VMR_NEXT_AGAIN : VMR_NEXT_NONE);
    for (uint32_t g = 0; g < nr_groups; g++)
        while (vmr_consumer_next(&rig.rx, g, &event, &where) != VMR_NEXT_NONE)
            ;
    for (uint32_t v = 0; v < nr_vcpus; v += 1 + v / 16) {
        group = v % nr_groups;
        CHECK(vmr_consumer_arm(&rig.rx, group));
        request = rig_request(v, v, VMR_NO_DEADLINE);
        CHECK(vmr_producer_post(&rig.tx, &request));
        CHECK_EQ(vmr_producer_flush(&rig.tx), 1ULL << group);
        for (uint32_t g = 0; g < nr_groups; g++)
            if (g != group)
                CHECK_EQ(vmr_consumer_next(&rig.rx, g, &event, &where),
                         VMR_NEXT_NONE);
        CHECK_EQ(vmr_consumer_next(&rig.rx, group, &event, &where),
                 VMR_NEXT_REQUEST);
        CHECK_EQ(where, v);
        CHECK(vmr_producer_arm(&rig.tx));
        CHECK(rig_answer(&rig, &event, v));
        CHECK(rig_collect(&rig, &verdict));
        CHECK_EQ(verdict.request.cookie, v);
        CHECK(!rig_collect(&rig, &verdict));

        CHECK(vmr_consumer_arm(&rig.rx, group));
        CHECK(vmr_producer_push(&rig.tx, v, &event));
        CHECK_EQ(vmr_producer_flush(&rig.tx), 1ULL << group);
        CHECK_EQ(vmr_consumer_next(&rig.rx, group, &event, &where),
                 VMR_NEXT_RECORD);
        CHECK_EQ(where, v);
        CHECK_EQ(vmr_consumer_next(&rig.rx, group, &event, &where),
                 VMR_NEXT_NONE);
    }
    /* The lane of no vCPU. */
    group = nr_vcpus % nr_groups;
    CHECK(vmr_producer_push(&rig.tx, nr_vcpus, &event));
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(vmr_consumer_next(&rig.rx, group, &event, &where),
             VMR_NEXT_RECORD);
    CHECK_EQ(where, nr_vcpus);
}

int main(void)
{
    all(1, 1);
    all(63, 1);
    all(64, 1);
    all(65, 1);
    all(200, 3);
    all(64, 64);
    all(130, 2);
    all(4096, 1);
    all(4096, 64);
    all(4096, 7);
    return 0;
}
