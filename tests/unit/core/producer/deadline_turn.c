/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer that answers one vCPU for ever, and sets every hint
 * there is, keeps no other vCPU waiting past its deadline: the clock is looked
 * at in each call, and a call looks at a bounded number of slots.
 */
#include "rig.h"

#define VCPUS 300

static struct rig rig;
static uint64_t cookie = 1;

static void post(uint32_t vcpu, uint64_t deadline)
{
    struct vmr_request request = rig_request(vcpu, cookie++, deadline);

    CHECK(vmr_producer_post(&rig.tx, &request));
    (void)vmr_producer_flush(&rig.tx);
}

static void answer(uint32_t vcpu)
{
    struct xen_vm_ring_response response = {.reason = XEN_VM_RING_REASON_CPUID};

    vmr_slot_answer(&rig.rx.slots[vcpu], rig_slot(&rig, vcpu)->state,
                    &response);
    *rig_answered(&rig, 0) |= 1ULL << vcpu;
}

static void begin(uint32_t nr_vcpus)
{
    struct vmr_geometry geo = rig_geometry(nr_vcpus, 1, 0, 2);

    rig_make(&rig, &geo);
}

/* The producer posts between two collects, as vCPUs do. */
static void answered_for_ever(void)
{
    struct vmr_verdict verdict;

    begin(2);
    post(1, 1000);
    for (rig.now = 0; rig.now < 3000; rig.now++) {
        post(0, rig.now + 1000);
        answer(0);
        CHECK(rig_collect(&rig, &verdict));
        CHECK_EQ(verdict.request.event.vcpu, rig.now == 1000);
        if (rig.now == 1000) {
            CHECK_EQ(verdict.by, VMR_BY_DEADLINE);
            CHECK(rig_collect(&rig, &verdict));
        }
        CHECK_EQ(verdict.by, VMR_BY_CONSUMER);
    }
    CHECK_EQ(rig.tx.ignored, 0);
}

/* Bits for nothing, for ever: so many slots a call, whoever they are of. */
static void hinted_for_ever(void)
{
    struct vmr_verdict verdict;
    uint64_t ignored = 0;

    begin(VCPUS);
    post(VCPUS - 1, 1000);
    for (rig.now = 0; rig.now < 1000; rig.now++) {
        memset(rig_answered(&rig, 0), 0xff, (VCPUS + 63) / 64 * 8);
        CHECK(!rig_collect(&rig, &verdict));
        CHECK(rig.tx.ignored - ignored <= VMR_COLLECT_LOOKS);
        ignored = rig.tx.ignored;
    }
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_DEADLINE);
    /* And an answer among them has its turn, too. */
    post(VCPUS - 1, VMR_NO_DEADLINE);
    {
        struct xen_vm_ring_response response = {.reason =
                                                    XEN_VM_RING_REASON_CPUID};

        vmr_slot_answer(&rig.rx.slots[VCPUS - 1],
                        rig_slot(&rig, VCPUS - 1)->state, &response);
    }
    for (int calls = 0;; calls++) {
        CHECK(calls < 2 * (VCPUS / VMR_COLLECT_LOOKS + 1));
        memset(rig_answered(&rig, 0), 0xff, (VCPUS + 63) / 64 * 8);
        if (rig_collect(&rig, &verdict))
            break;
    }
    CHECK_EQ(verdict.by, VMR_BY_CONSUMER);
}

/* A sweep looks at all that pend, some at a time, and then it is over. */
static void swept_in_parts(void)
{
    struct vmr_verdict verdict;
    unsigned int calls = 0;

    begin(VCPUS);
    for (uint32_t v = 0; v < VCPUS; v++)
        post(v, VMR_NO_DEADLINE);
    vmr_producer_sweep(&rig.tx);
    while (rig.tx.attached) {
        CHECK(++calls <= VCPUS / VMR_COLLECT_LOOKS + 2);
        CHECK(!vmr_producer_arm(&rig.tx)); /* nobody sleeps on it */
        memset(rig_answered(&rig, 0), 0xff, (VCPUS + 63) / 64 * 8);
        CHECK(!rig_collect(&rig, &verdict));
    }
    CHECK(calls > VCPUS / VMR_COLLECT_LOOKS);
    CHECK(!rig.tx.sweeping);
}

int main(void)
{
    answered_for_ever();
    hinted_for_ever();
    swept_in_parts();
    return 0;
}
