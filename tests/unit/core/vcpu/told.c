/* SPDX-License-Identifier: MIT */
/*
 * Description: a vCPU that posts sets its own bit alone, rings who is armed,
 * once, and is silent for what waits behind, with nothing new, with the bit set
 * already and with nobody attached.
 */
#include "by_vcpu.h"

#define VCPUS 140

static struct rig rig;

static xen_vm_ring_u64 *armed(uint32_t vcpu)
{
    return &rig_group(&rig, vcpu % 2)->armed;
}

static void answer(uint32_t vcpu, uint64_t number)
{
    struct xen_vm_ring_event event = vcpu_taken(&rig, vcpu, number);

    vcpu_answer(&rig, &event, 0);
    vcpu_none_taken(&rig, vcpu % 2);
}

/* vCPU 7 is bit 3 of group 1, and 131 its bit 65. */
static void by_post(void)
{
    CHECK_EQ(vcpu_post(&rig, 7, 1, 0), VMR_FLUSH_RING);
    CHECK_EQ(*armed(1), 0);
    CHECK_EQ(*armed(0), 1);
    CHECK_EQ(*vcpu_attention(&rig, 7), 1U << 3);
    CHECK_EQ(*vcpu_attention(&rig, 0), 0);
    CHECK_EQ(vcpu_post(&rig, 131, 2, 0), VMR_FLUSH_QUIET); /* rung already */
    CHECK_EQ(*vcpu_attention(&rig, 131), 1U << 1);
    CHECK_EQ(vcpu_post(&rig, 8, 3, 0), VMR_FLUSH_RING); /* another group */
    CHECK_EQ(*vcpu_attention(&rig, 8), 1U << 4);
    *armed(1) = *armed(0) = 1;
    CHECK_EQ(vmr_vcpu_flush(&rig.tx, 7), VMR_FLUSH_QUIET);
    CHECK_EQ(vmr_vcpu_flush(&rig.tx, 9), VMR_FLUSH_QUIET);
    CHECK_EQ(*armed(1), 1);
    CHECK_EQ(*vcpu_attention(&rig, 9), 1U << 3);
    for (uint32_t v = 7; v <= 131; v += 124)
        (void)vcpu_taken(&rig, v, v == 7 ? 1 : 2);
    vcpu_none_taken(&rig, 1);
}

/* What waits behind is told of when it becomes visible. */
static void by_retire(void)
{
    CHECK_EQ(*vcpu_attention(&rig, 7), 0);
    CHECK_EQ(vcpu_post(&rig, 7, 4, 0), VMR_FLUSH_QUIET);
    CHECK_EQ(*vcpu_attention(&rig, 7), 0);
    CHECK_EQ(vmr_vcpu_retire(&rig.tx, 7), VMR_FLUSH_RING);
    CHECK_EQ(*vcpu_attention(&rig, 7), 1U << 3);
    answer(7, 4);
    *armed(1) = 1;
    CHECK_EQ(vmr_vcpu_retire(&rig.tx, 7), VMR_FLUSH_QUIET);
    CHECK_EQ(*vcpu_attention(&rig, 7), 0);
    CHECK_EQ(*armed(1), 1);
}

/* Armed with a bit set: whoever set it has rung. */
static void bit_is_set(void)
{
    *vcpu_attention(&rig, 7) = 1U << 3;
    CHECK_EQ(vcpu_post(&rig, 7, 5, 0), VMR_FLUSH_QUIET);
    CHECK_EQ(*armed(1), 1);
    CHECK_EQ(vcpu_post(&rig, 9, 6, 0), VMR_FLUSH_RING); /* not its own */
    CHECK_EQ(*vcpu_attention(&rig, 7), 3U << 3);
}

static void nobody_there(void)
{
    *armed(1) = 1;
    *vcpu_attention(&rig, 7) = 0;
    CHECK(vmr_producer_let_go(&rig.tx));
    CHECK_EQ(vcpu_post(&rig, 11, 7, 0), VMR_FLUSH_QUIET);
    CHECK_EQ(vmr_vcpu_flush(&rig.tx, 11), VMR_FLUSH_QUIET);
    CHECK_EQ(*vcpu_attention(&rig, 11), 0);
    CHECK_EQ(*armed(1), 1);
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(VCPUS, 2, 0, 2);

    rig_make(&rig, &geo);
    for (uint32_t g = 0; g < 2; g++) {
        vcpu_none_taken(&rig, g);
        CHECK(vmr_consumer_arm(&rig.rx, g));
    }
    by_post();
    by_retire();
    bit_is_set();
    nobody_there();
    return 0;
}
