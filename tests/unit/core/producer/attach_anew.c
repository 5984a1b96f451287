/* SPDX-License-Identifier: MIT */
/*
 * Description: nothing of a consumer before stays with its successor: not its
 * groups, not that it was faulted, not that it had left.
 */
#include <sys/mman.h>

#include "rig.h"

static struct rig rig;

static void post(uint32_t vcpu)
{
    struct vmr_request request = rig_request(vcpu, vcpu, VMR_NO_DEADLINE);

    CHECK(vmr_producer_post(&rig.tx, &request));
}

/* A request of that vCPU is told, rung for, answered and collected. */
static void is_served(uint32_t vcpu)
{
    uint32_t group = vcpu % rig.geo.nr_groups, where;
    struct xen_vm_ring_event event;
    struct vmr_verdict verdict;

    while (vmr_consumer_next(&rig.rx, group, &event, &where) != VMR_NEXT_NONE)
        ;
    CHECK(vmr_consumer_arm(&rig.rx, group));
    post(vcpu);
    CHECK_EQ(vmr_producer_flush(&rig.tx), 1ULL << group);
    CHECK_EQ(vmr_consumer_next(&rig.rx, group, &event, &where),
             VMR_NEXT_REQUEST);
    CHECK_EQ(where, vcpu);
    (void)rig_answer(&rig, &event, vcpu);
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_CONSUMER);
    CHECK_EQ(verdict.request.cookie, vcpu);
}

/* The old C is gone: not a word of it is read again. */
static void attach(uint32_t nr_groups)
{
    CHECK(mprotect(rig.c, rig.geo.c_len, PROT_NONE) == 0);
    rig.geo.nr_groups = nr_groups;
    CHECK(vmr_geometry_lay_out(&rig.geo, 5ULL * 2 * 64));
    rig_attach(&rig);
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(4, 4, 0, 2);
    struct vmr_verdict verdict;

    rig_make(&rig, &geo);
    /* The last group is where the producer has looked last. */
    is_served(3);
    vmr_producer_sweep(&rig.tx);
    CHECK(!rig_collect(&rig, &verdict));
    attach(1);
    is_served(1);

    rig.tx.broken = true; /* as by a word it was kept from */
    post(2);
    CHECK_EQ(vmr_producer_flush(&rig.tx), 0);
    vmr_producer_sweep(&rig.tx);
    CHECK(!rig_collect(&rig, &verdict));
    vmr_producer_release(&rig.tx);
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_DETACH);
    attach(2);
    is_served(1);
    is_served(2);
    /* No longer let go at once. */
    post(3);
    CHECK(!rig_collect(&rig, &verdict));
    return 0;
}
