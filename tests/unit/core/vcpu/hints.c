/* SPDX-License-Identifier: MIT */
/*
 * Description: a group's hints are handed out once each, each vCPU in its turn
 * whatever is set meanwhile, none of another group's and none beyond the
 * group's vCPUs; who follows them finds the answers.
 */
#include "by_vcpu.h"

#define VCPUS 131

static struct rig rig;

static void is_next(uint32_t group, uint32_t vcpu)
{
    uint32_t hinted;

    CHECK(vmr_group_answered(&rig.tx, group, &hinted));
    CHECK_EQ(hinted, vcpu);
}

static void is_over(uint32_t group)
{
    uint32_t vcpu;

    CHECK(!vmr_group_answered(&rig.tx, group, &vcpu));
}

static void answer(uint32_t vcpu, uint64_t number)
{
    struct xen_vm_ring_event event = vcpu_taken(&rig, vcpu, number);

    vcpu_answer(&rig, &event, 0);
}

static void lead_to_answers(void)
{
    static const uint32_t of[] = {0, 2, 130, 1, 129};

    for (unsigned int i = 0; i < 5; i++)
        (void)vcpu_post(&rig, of[i], 10 + i, VMR_NO_DEADLINE);
    for (unsigned int i = 0; i < 5; i++)
        answer(of[i], 10 + i);
    is_over(0); /* stored, and not told of */
    (void)vmr_consumer_flush(&rig.rx, 0);
    is_over(1);
    for (unsigned int i = 0; i < 3; i++) {
        is_next(0, of[i]);
        (void)vcpu_verdict(&rig, of[i], 10 + i, VMR_BY_CONSUMER);
        (void)vmr_vcpu_retire(&rig.tx, of[i]);
    }
    is_over(0);
    (void)vmr_consumer_flush(&rig.rx, 1);
    is_over(0);
    is_next(1, 1);
    is_next(1, 129);
    is_over(1);
    CHECK_EQ(*rig_answered(&rig, 0), 0);
    CHECK_EQ(*rig_answered(&rig, 1), 0);
    (void)vcpu_verdict(&rig, 129, 14, VMR_BY_CONSUMER);
}

/* 66 vCPUs of group 0, 65 of group 1: two words each. */
static void beyond(void)
{
    for (uint32_t g = 0; g < 2; g++) {
        rig_answered(&rig, g)[0] = rig_answered(&rig, g)[1] = UINT64_MAX;
        for (uint32_t v = g; v < VCPUS; v += 2)
            is_next(g, v);
        is_over(g);
    }
}

/* All are set all the time: each has its turn, the last one too. */
static void set_again(void)
{
    for (int round = 0; round < 3; round++) {
        for (uint32_t v = 1; v < VCPUS; v += 2) {
            rig_answered(&rig, 1)[0] = rig_answered(&rig, 1)[1] = UINT64_MAX;
            is_next(1, v);
        }
    }
    for (uint32_t v = 1; v < VCPUS; v += 2)
        is_next(1, v);
    is_over(1);
}

/* For nothing: the vCPU finds nothing. */
static void to_nothing(void)
{
    *rig_answered(&rig, 0) = 1U << 5;
    is_next(0, 10);
    is_over(0);
    vcpu_waits(&rig, 10);
    CHECK(!vmr_vcpu_is_due(&rig.tx, 10));
}

/* What is there when the consumer goes is not fetched any more. */
static void of_nobody(void)
{
    *rig_answered(&rig, 0) = 1;
    CHECK(vmr_producer_let_go(&rig.tx));
    is_over(0);
    CHECK_EQ(*rig_answered(&rig, 0), 1);
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(VCPUS, 2, 0, 2);

    rig_make(&rig, &geo);
    lead_to_answers();
    beyond();
    set_again();
    to_nothing();
    of_nobody();
    return 0;
}
