/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer that comes at any instant of a post or retire finds
 * the request, or is rung for it; an answer that comes at any instant of a
 * vCPU's way to sleep is found by the vCPU or wakes it, and so is one on whose
 * way to the vCPU that goes to sleep.
 */
#include "by_vcpu.h"

#include "instants.h"

#include "core/doorbell.c"
#include "core/slot.c"
#include "core/vcpu.c"

static struct rig rig;
static struct xen_vm_ring_event taken;
static unsigned int when, now, nr_taken;
static bool sleeps, is_woken;

/* Two requests of vCPU 1; its consumer has looked, and sleeps. */
static void make(void)
{
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 2);

    at_instant = NULL;
    rig_make(&rig, &geo);
    vcpu_none_taken(&rig, 0);
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    now = nr_taken = 0;
    sleeps = is_woken = false;
}

static void look(void)
{
    uint32_t where;

    vmr_consumer_disarm(&rig.rx, 0);
    while (vmr_consumer_next(&rig.rx, 0, &taken, &where) != VMR_NEXT_NONE)
        nr_taken++;
    CHECK(vmr_consumer_arm(&rig.rx, 0));
}

static void look_once(void)
{
    if (now++ == when)
        look();
}

/* false: there are fewer instants than that. */
static bool told_at_any(bool by_retire)
{
    enum vmr_flush flush;

    make();
    if (by_retire) {
        (void)vcpu_post(&rig, 1, 1, 0);
        (void)vcpu_post(&rig, 1, 2, 0);
        look();
        nr_taken = 0;
        at_instant = look_once;
        flush = vmr_vcpu_retire(&rig.tx, 1);
    } else {
        at_instant = look_once;
        flush = vcpu_post(&rig, 1, 2, 0);
    }
    at_instant = NULL;
    if (flush == VMR_FLUSH_RING)
        look();
    CHECK_EQ(nr_taken, 1);
    CHECK_EQ(taken.u.words[3], 2);
    return now > when;
}

/* As the hypercall of a consumer that has answered. */
static void wake_answered(void)
{
    uint32_t vcpu;

    while (vmr_group_answered(&rig.tx, 0, &vcpu))
        if (vcpu == 1 && sleeps)
            is_woken = true;
}

static void answer(void)
{
    vcpu_answer(&rig, &taken, 0);
    (void)vmr_consumer_flush(&rig.rx, 0);
    wake_answered();
}

static void answer_once(void)
{
    if (now++ == when)
        answer();
}

/* true: it has its verdict; else it is asleep. */
static bool wait_for_verdict(void)
{
    struct xen_vm_ring_response response;
    enum vmr_by by;

    if (vmr_vcpu_collect(&rig.tx, 1, 0, &response, &by))
        return true;
    sleeps = true;
    if (!vmr_vcpu_is_due(&rig.tx, 1))
        return false;
    sleeps = false;
    return vmr_vcpu_collect(&rig.tx, 1, 0, &response, &by);
}

static void ask(void)
{
    make();
    (void)vcpu_post(&rig, 1, 1, VMR_NO_DEADLINE);
    look();
    CHECK_EQ(nr_taken, 1);
}

static bool answered_at_any(void)
{
    bool has_verdict;

    ask();
    at_instant = answer_once;
    has_verdict = wait_for_verdict();
    at_instant = NULL;
    if (now <= when)
        return false;
    CHECK(has_verdict || is_woken);
    (void)vcpu_verdict(&rig, 1, 1, VMR_BY_CONSUMER);
    return true;
}

static void sleep_once(void)
{
    if (now++ == when && wait_for_verdict())
        is_woken = true;
}

static bool sleeps_at_any(void)
{
    ask();
    at_instant = sleep_once;
    answer();
    at_instant = NULL;
    if (now <= when)
        return false;
    CHECK(is_woken);
    return true;
}

int main(void)
{
    for (int by_retire = 0; by_retire < 2; by_retire++) {
        for (when = 0; told_at_any(by_retire); when++)
            ;
        CHECK(when > 10);
    }
    for (when = 0; answered_at_any(); when++)
        ;
    CHECK(when >= 4);
    for (when = 0; sleeps_at_any(); when++)
        ;
    CHECK(when > 50);
    return 0;
}
