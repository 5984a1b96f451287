/* SPDX-License-Identifier: MIT */
/*
 * Description: a peer that keeps us from changing a shared word, as it can
 * where that takes a loop, is faulted, and nobody tries again for ever.
 */
#include "rig.h"

/* The call that is kept from its word; 0: none is. */
static unsigned int kept_from;

static bool is_kept(void)
{
    return kept_from && !--kept_from;
}

static bool try_or(xen_vm_ring_u64 *p, uint64_t bits)
{
    return !is_kept() && vmr_or(p, bits);
}

static bool try_exchange(xen_vm_ring_u64 *p, uint64_t v, uint64_t *old)
{
    return !is_kept() && vmr_exchange(p, v, old);
}

/* The ring's own source, with these in the place of its atomics. */
#define vmr_or       try_or
#define vmr_exchange try_exchange
#include "core/doorbell.c"

static struct rig rig;
static struct vmr_geometry geo;

static void make(void)
{
    rig_make(&rig, &geo);
}

/* vCPU 0 has a request, lane 1 a record. */
static void raise_both(void)
{
    struct vmr_request request = rig_request(0, 1, 1000);
    struct xen_vm_ring_event event =
        rig_event(XEN_VM_RING_REASON_MOV_TO_MSR, 1, 2);

    CHECK(vmr_producer_post(&rig.tx, &request));
    CHECK(vmr_producer_push(&rig.tx, 1, &event));
}

/* The consumer has looked at all there is, and sleeps. */
static void let_sleep(void)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    while (vmr_consumer_next(&rig.rx, 0, &event, &where) != VMR_NEXT_NONE)
        ;
    CHECK(vmr_consumer_arm(&rig.rx, 0));
}

/* A flush: the bit of the request, that of the lane, the armed word. */
static void producer_flushes(unsigned int call)
{
    struct vmr_verdict verdict;

    make();
    let_sleep();
    raise_both();
    kept_from = call;
    CHECK_EQ(vmr_producer_flush(&rig.tx), 0);
    CHECK_EQ(kept_from, 0);
    CHECK(rig.tx.broken);
    /* Nothing of the consumer is touched any more: not even tried. */
    kept_from = 1;
    raise_both();
    CHECK_EQ(vmr_producer_flush(&rig.tx), 0);
    CHECK_EQ(vmr_producer_wake(&rig.tx), 0);
    CHECK(vmr_producer_arm(&rig.tx));
    CHECK(!rig_collect(&rig, &verdict));
    CHECK_EQ(kept_from, 1);
    /* And yet each request gets its verdict. */
    rig.now = 1000;
    for (int i = 0; i < 2; i++) {
        CHECK(rig_collect(&rig, &verdict));
        CHECK_EQ(verdict.by, VMR_BY_DEADLINE);
    }
    CHECK(!rig_collect(&rig, &verdict));
    kept_from = 0;
}

/* An answer whose bit cannot be fetched is found when the consumer leaves. */
static void producer_fetches(bool by_arming)
{
    struct xen_vm_ring_event event;
    struct vmr_verdict verdict;
    uint32_t where;

    make();
    raise_both();
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_REQUEST);
    (void)rig_answer(&rig, &event, where);
    kept_from = 1;
    if (by_arming)
        CHECK(vmr_producer_arm(&rig.tx));
    else
        CHECK(!rig_collect(&rig, &verdict));
    CHECK_EQ(kept_from, 0);
    CHECK(rig.tx.broken);
    CHECK(!rig_collect(&rig, &verdict));
    vmr_producer_sweep(&rig.tx);
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_CONSUMER);
}

/* The bits of requests, then those of lanes. */
static void consumer_refills(unsigned int call, bool takes)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    make();
    let_sleep();
    raise_both();
    (void)vmr_producer_flush(&rig.tx);
    kept_from = call;
    if (takes)
        CHECK_EQ(vmr_consumer_take(&rig.rx, 0, &event, &where),
                 VMR_NEXT_BROKEN);
    else
        CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where),
                 VMR_NEXT_BROKEN);
    CHECK_EQ(kept_from, 0);
    CHECK_EQ(rig.rx.groups[0].rejected, 1);
    CHECK_EQ(vmr_consumer_take(&rig.rx, 0, &event, &where), VMR_NEXT_BROKEN);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_BROKEN);
    CHECK_EQ(rig.rx.groups[0].rejected, 1);
}

/* One that is busy, and would sleep. */
static void consumer_arms(unsigned int call)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    make();
    let_sleep();
    raise_both();
    (void)vmr_producer_flush(&rig.tx);
    kept_from = call;
    CHECK(!vmr_consumer_arm(&rig.rx, 0));
    CHECK_EQ(kept_from, 0);
    CHECK_EQ(rig.rx.groups[0].rejected, 1);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_BROKEN);
}

/*
 * A vCPU that flushes for itself: its consumer is left asleep, is not tried
 * again, and is counted when the epoch ends.
 */
static void vcpu_flushes(void)
{
    struct xen_vm_ring_event event =
        rig_event(XEN_VM_RING_REASON_MOV_TO_MSR, 1, 2);

    for (unsigned int call = 1; call <= 2; call++) {
        make();
        let_sleep();
        CHECK(vmr_producer_push_own(&rig.tx, 1, &event));
        kept_from = call;
        CHECK_EQ(vmr_producer_flush_own(&rig.tx, 1), VMR_FLUSH_BROKEN);
        CHECK_EQ(kept_from, 0);
        kept_from = 1;
        CHECK(vmr_producer_push_own(&rig.tx, 1, &event));
        CHECK_EQ(vmr_producer_flush_own(&rig.tx, 1), VMR_FLUSH_QUIET);
        CHECK_EQ(kept_from, 1);
        kept_from = 0;
        CHECK_EQ(rig.tx.lane_faults, 0);
        vmr_producer_freeze(&rig.tx);
        CHECK_EQ(rig.tx.lane_faults, 1);
    }
}

/* Amid a batch: what is left of it does not come after the fault. */
static void consumer_takes(void)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    make();
    let_sleep();
    vmr_consumer_disarm(&rig.rx, 0);
    event = rig_event(XEN_VM_RING_REASON_MOV_TO_MSR, 1, 2);
    for (int i = 0; i < 2; i++)
        CHECK(vmr_producer_push(&rig.tx, 1, &event));
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_RECORD);
    raise_both();
    (void)vmr_producer_flush(&rig.tx);
    kept_from = 1;
    CHECK_EQ(vmr_consumer_take(&rig.rx, 0, &event, &where), VMR_NEXT_BROKEN);
    CHECK_EQ(kept_from, 0);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_BROKEN);
}

/*
 * Answers that a consumer is kept from telling of: it is told of the peer, the
 * answers are kept, and it does not sleep on them.  The batch that it is amid
 * ends there.
 */
static void consumer_answers(void)
{
    struct xen_vm_ring_event event, record;
    struct vmr_verdict verdict;
    uint32_t where;

    make();
    raise_both();
    record = rig_event(XEN_VM_RING_REASON_MOV_TO_MSR, 1, 3);
    CHECK(vmr_producer_push(&rig.tx, 1, &record));
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_REQUEST);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &record, &where), VMR_NEXT_RECORD);
    where = 0;
    kept_from = 1;
    CHECK(!rig_answer(&rig, &event, where));
    CHECK_EQ(kept_from, 0);
    CHECK_EQ(rig.rx.groups[0].rejected, 1);
    CHECK(!vmr_consumer_arm(&rig.rx, 0));
    kept_from = 1;
    CHECK(!vmr_consumer_flush(&rig.rx, 0));
    CHECK_EQ(rig.rx.groups[0].rejected, 1);
    CHECK(!rig_collect(&rig, &verdict));
    CHECK(!vmr_consumer_flush(&rig.rx, 0));
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_CONSUMER);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_BROKEN);
}

int main(void)
{
    geo = rig_geometry(2, 1, 0, 4);
    for (unsigned int call = 1; call <= 3; call++)
        producer_flushes(call);
    producer_fetches(false);
    producer_fetches(true);
    for (unsigned int call = 1; call <= 2; call++) {
        consumer_refills(call, false);
        consumer_refills(call, true);
        consumer_arms(call);
    }
    vcpu_flushes();
    consumer_takes();
    consumer_answers();
    return 0;
}
