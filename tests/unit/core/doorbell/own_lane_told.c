/* SPDX-License-Identifier: MIT */
/*
 * Description: a vCPU that tells of its own lane sets that lane's bit alone,
 * rings who is armed, once, and is silent with nothing new, with the bit set
 * already and with nobody attached.
 */
#include "rig.h"

#define VCPUS 70

static struct rig rig;

static bool push(uint32_t lane)
{
    struct xen_vm_ring_event event = rig_event(1, lane, 1);

    CHECK(vmr_producer_push_own(&rig.tx, lane, &event));
    return vmr_producer_flush_own(&rig.tx, lane) == VMR_FLUSH_RING;
}

static xen_vm_ring_u64 *attention(uint32_t word)
{
    return (xen_vm_ring_u64 *)(void *)((unsigned char *)rig_group(&rig, 0) +
                                       rig.geo.attn_lane_off) +
           word;
}

static void take(uint32_t lane)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_RECORD);
    CHECK_EQ(where, lane);
}

/* In whichever order the round has them. */
static void take_both(uint32_t one, uint32_t other)
{
    struct xen_vm_ring_event event;
    uint32_t first, second;

    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &first), VMR_NEXT_RECORD);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &second), VMR_NEXT_RECORD);
    CHECK((first == one && second == other) ||
          (first == other && second == one));
}

static void nothing(void)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_NONE);
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(VCPUS, 1, 0, 16);
    struct vmr_verdict verdict;

    rig_make(&rig, &geo);
    nothing();
    CHECK(!vmr_producer_flush_own(&rig.tx, 3)); /* nothing was pushed */
    CHECK_EQ(attention(0)[0], 0);

    CHECK(vmr_consumer_arm(&rig.rx, 0));
    CHECK(push(3));
    CHECK_EQ(rig_group(&rig, 0)->armed, 0);
    CHECK_EQ(*attention(0), 1U << 3);
    CHECK_EQ(*attention(1), 0);
    CHECK(!push(65)); /* rung already */
    CHECK_EQ(*attention(1), 1U << 1);
    take(3);
    take(65);
    nothing();

    /* Armed with a bit set: whoever set it has rung. */
    rig_group(&rig, 0)->armed = 1;
    *attention(0) = 1U << 3;
    CHECK(!push(3));
    CHECK_EQ(rig_group(&rig, 0)->armed, 1);
    CHECK(push(4)); /* another one's bit is none of its own */
    CHECK_EQ(*attention(0), 3U << 3);
    take_both(3, 4);
    nothing();

    /* Told once. */
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    CHECK(!vmr_producer_flush_own(&rig.tx, 3));
    CHECK_EQ(rig_group(&rig, 0)->armed, 1);
    CHECK_EQ(*attention(0), 0);

    vmr_producer_sweep(&rig.tx);
    CHECK(!rig_collect(&rig, &verdict));
    CHECK(!push(3));
    CHECK_EQ(*attention(0), 0);
    CHECK_EQ(rig_group(&rig, 0)->armed, 1);
    return 0;
}
