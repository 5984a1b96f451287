/* SPDX-License-Identifier: MIT */
/*
 * Description: who arms with something there already does not sleep and is
 * not armed, be it a request, a record or an answer, in any word of bits; and
 * nobody is rung who is not armed.
 */
#include "rig.h"

#define VCPUS 130

static struct rig rig;

static void drain(void)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    while (vmr_consumer_next(&rig.rx, 0, &event, &where) != VMR_NEXT_NONE)
        ;
}

static void is_looked_at(void)
{
    CHECK_EQ(vmr_producer_flush(&rig.tx), 0); /* not armed */
    CHECK(!vmr_consumer_arm(&rig.rx, 0));
    CHECK_EQ(rig_group(&rig, 0)->armed, 0);
    drain();
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    CHECK_EQ(rig_group(&rig, 0)->armed, 1);
    vmr_consumer_disarm(&rig.rx, 0);
    CHECK_EQ(rig_group(&rig, 0)->armed, 0);
}

static void answer(uint32_t vcpu, bool rings)
{
    struct xen_vm_ring_event event =
        rig_event(XEN_VM_RING_REASON_CPUID, vcpu, 1);

    event.state = 1;
    CHECK_EQ(rig_answer(&rig, &event, vcpu), rings);
}

static uint64_t armed_for_answers(void)
{
    const struct xen_vm_ring_p_group *group =
        (void *)(rig.p + rig.geo.p_group_off);

    return group->armed;
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(VCPUS, 1, 0, 2);
    struct xen_vm_ring_event event = rig_event(1, 0, 1);
    struct vmr_verdict verdict;

    rig_make(&rig, &geo);
    drain();
    for (uint32_t v = 0; v < VCPUS; v++) {
        struct vmr_request request = rig_request(v, v, VMR_NO_DEADLINE);

        CHECK(vmr_producer_post(&rig.tx, &request));
        is_looked_at();
    }
    for (uint32_t lane = 0; lane <= VCPUS; lane++) {
        CHECK(vmr_producer_push(&rig.tx, lane, &event));
        is_looked_at();
    }

    answer(0, false); /* never armed */
    CHECK(!vmr_producer_arm(&rig.tx));
    CHECK_EQ(armed_for_answers(), 0);
    CHECK(rig_collect(&rig, &verdict));
    CHECK(!rig_collect(&rig, &verdict));
    CHECK(vmr_producer_arm(&rig.tx));
    CHECK(armed_for_answers());
    answer(1, true);
    answer(VCPUS - 1, false); /* rung for that arming */
    CHECK(!vmr_producer_arm(&rig.tx));
    CHECK_EQ(armed_for_answers(), 0);
    answer(2, false); /* armed once, not now */
    for (int i = 0; i < 3; i++)
        CHECK(rig_collect(&rig, &verdict));
    CHECK(!rig_collect(&rig, &verdict));
    CHECK(vmr_producer_arm(&rig.tx));
    answer(3, true);
    return 0;
}
