/* SPDX-License-Identifier: MIT */
/*
 * Description: who takes requests alone gets each once, those that were known
 * before others came as well; the records stay where they are.
 */
#include "rig.h"

static struct rig rig;

static void post(uint32_t vcpu)
{
    struct vmr_request request = rig_request(vcpu, vcpu, VMR_NO_DEADLINE);

    CHECK(vmr_producer_post(&rig.tx, &request));
    (void)vmr_producer_flush(&rig.tx);
}

static enum vmr_next take(uint32_t *where)
{
    struct xen_vm_ring_event event;

    return vmr_consumer_take(&rig.rx, 0, &event, where);
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(8, 1, 0, 2);
    struct xen_vm_ring_event event = rig_event(1, 3, 1);
    unsigned int seen = 0;
    uint32_t where;

    rig_make(&rig, &geo);
    while (vmr_consumer_next(&rig.rx, 0, &event, &where) != VMR_NEXT_NONE)
        ;
    CHECK_EQ(take(&where), VMR_NEXT_NONE);
    CHECK(vmr_producer_push(&rig.tx, 3, &event));
    post(1);
    post(4);
    for (uint32_t v = 5; v < 8; v++) {
        CHECK_EQ(take(&where), VMR_NEXT_REQUEST);
        CHECK(!(seen & 1U << where));
        seen |= 1U << where;
        post(v); /* with others known and not taken */
    }
    while (take(&where) == VMR_NEXT_REQUEST) {
        CHECK(!(seen & 1U << where));
        seen |= 1U << where;
    }
    CHECK_EQ(seen, 1U << 1 | 1U << 4 | 7U << 5);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_RECORD);
    CHECK_EQ(where, 3);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_NONE);

    /* A fault of one is the group's, and stays. */
    rig_slot(&rig, 2)->length = 1;
    rig_slot(&rig, 2)->state = 1;
    vmr_consumer_rescan(&rig.rx, 0);
    CHECK_EQ(take(&where), VMR_NEXT_BROKEN);
    post(0);
    CHECK_EQ(take(&where), VMR_NEXT_BROKEN);
    return 0;
}
