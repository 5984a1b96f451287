/* SPDX-License-Identifier: MIT */
/*
 * Description: a flush rings once for each arming, and not while the
 * consumer is awake or has yet to look at a bit.
 */
#include "rig.h"

static struct rig rig;

static uint64_t push(uint32_t lane)
{
    struct xen_vm_ring_event event = rig_event(1, lane, 1);

    CHECK(vmr_producer_push(&rig.tx, lane, &event));
    return vmr_producer_flush(&rig.tx);
}

static void drain(void)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    while (vmr_consumer_next(&rig.rx, 0, &event, &where) != VMR_NEXT_NONE)
        ;
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 64);

    rig_make(&rig, &geo);
    CHECK_EQ(vmr_producer_flush(&rig.tx), 0); /* nothing to tell */
    CHECK_EQ(push(0), 0);                     /* not armed */
    CHECK(!vmr_consumer_arm(&rig.rx, 0));     /* there is something */
    CHECK_EQ(rig_group(&rig, 0)->armed, 0);
    drain();
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    CHECK_EQ(push(0), 1);
    CHECK_EQ(rig_group(&rig, 0)->armed, 0);
    CHECK_EQ(push(0), 0);
    CHECK_EQ(push(1), 0);
    CHECK(!vmr_consumer_arm(&rig.rx, 0));
    drain();

    /* A bit that is set already: whoever set it has rung. */
    rig_group(&rig, 0)->armed = 1;
    ((xen_vm_ring_u64 *)(void *)((unsigned char *)rig_group(&rig, 0) +
                                 rig.geo.attn_lane_off))[0] = 1;
    CHECK_EQ(push(0), 0);
    CHECK_EQ(rig_group(&rig, 0)->armed, 1);
    CHECK_EQ(push(1), 1);
    drain();

    CHECK(vmr_consumer_arm(&rig.rx, 0));
    vmr_consumer_disarm(&rig.rx, 0);
    CHECK_EQ(push(0), 0);
    drain();
    /* A state word has no bit: it rings whoever is armed. */
    CHECK_EQ(vmr_producer_wake(&rig.tx), 0);
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    CHECK_EQ(vmr_producer_wake(&rig.tx), 1);
    CHECK_EQ(vmr_producer_wake(&rig.tx), 0);
    return 0;
}
