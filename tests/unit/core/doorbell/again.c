/* SPDX-License-Identifier: MIT */
/*
 * Description: where a shared word takes a loop (LL/SC), threads of one side
 * that are in each other's way are no fault of the peer: what they could not
 * tell is kept, said to be left, and told by the next call, once.
 */
#include "rig.h"

/* The call that is kept from its word; 0: none is.  And by whom. */
static unsigned int kept_from;
static struct vmr_rmws *others;

static bool is_kept(void)
{
    if (!kept_from || --kept_from)
        return false;
    if (others) {
        others->begun++;
        others->ended++;
    }
    return true;
}

static bool try_or(xen_vm_ring_u64 *p, uint64_t bits)
{
    return !is_kept() && vmr_or(p, bits);
}

static bool try_exchange(xen_vm_ring_u64 *p, uint64_t v, uint64_t *old)
{
    return !is_kept() && vmr_exchange(p, v, old);
}

/* The ring's own source, with these, as where such calls can fail. */
#undef VMR_RMW_CAN_FAIL
#define VMR_RMW_CAN_FAIL 1
#define vmr_or           try_or
#define vmr_exchange     try_exchange
#include "core/doorbell.c"

static struct rig rig;

static void take_all(void)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    while (vmr_consumer_next(&rig.rx, 0, &event, &where) != VMR_NEXT_NONE)
        ;
}

/* Both ends; the consumer has looked at all there is, and sleeps. */
static void make(void)
{
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 4);

    others = NULL;
    kept_from = 0;
    rig_make(&rig, &geo);
    take_all();
    CHECK(vmr_consumer_arm(&rig.rx, 0));
}

static void raise_both(void)
{
    struct vmr_request request = rig_request(0, 1, 1000);
    struct xen_vm_ring_event event =
        rig_event(XEN_VM_RING_REASON_MOV_TO_MSR, 1, 2);

    CHECK(vmr_producer_post(&rig.tx, &request));
    CHECK(vmr_producer_push(&rig.tx, 1, &event));
}

/* The bit of the request, that of the lane, the armed word. */
static void producer_flushes(unsigned int call)
{
    uint64_t rings;

    make();
    raise_both();
    others = &rig.tx.rmws;
    kept_from = call;
    rings = vmr_producer_flush(&rig.tx);
    CHECK_EQ(kept_from, 0);
    CHECK(rig.tx.again && !rig.tx.broken);
    /* It rings for what it could tell, and for the rest, but once. */
    CHECK_EQ(rings, call < 3);
    CHECK_EQ(vmr_producer_flush(&rig.tx), call == 3);
    CHECK(!rig.tx.again);
    CHECK_EQ(vmr_producer_flush(&rig.tx), 0);
    take_all();
    CHECK_EQ(rig.rx.lanes[1].taken, 1);
    CHECK_EQ(rig.rx.slots[0].taken, 1);
}

static void producer_wakes(void)
{
    make();
    others = &rig.tx.rmws;
    kept_from = 1;
    CHECK_EQ(vmr_producer_wake(&rig.tx), 0);
    CHECK(rig.tx.again);
    CHECK_EQ(vmr_producer_flush(&rig.tx), 1);
    CHECK(!rig.tx.again);
}

/* One of ours that had begun before, and has not ended. */
static void producer_is_not_alone(void)
{
    make();
    raise_both();
    rig.tx.rmws.begun++;
    kept_from = 1;
    (void)vmr_producer_flush(&rig.tx);
    CHECK(rig.tx.again && !rig.tx.broken);
    rig.tx.rmws.ended++;
    /* That it has ended is seen: now there is but the peer. */
    kept_from = 1;
    (void)vmr_producer_flush(&rig.tx);
    CHECK(rig.tx.broken);
}

/* A vCPU that tells of its own lane: its bit, then the armed word. */
static void vcpu_flushes(unsigned int call)
{
    struct xen_vm_ring_event event =
        rig_event(XEN_VM_RING_REASON_MOV_TO_MSR, 1, 2);

    make();
    CHECK(vmr_producer_push_own(&rig.tx, 1, &event));
    others = &rig.tx.rmws;
    kept_from = call;
    CHECK_EQ(vmr_producer_flush_own(&rig.tx, 1), VMR_FLUSH_AGAIN);
    CHECK_EQ(vmr_producer_flush_own(&rig.tx, 1), VMR_FLUSH_RING);
    CHECK_EQ(vmr_producer_flush_own(&rig.tx, 1), VMR_FLUSH_QUIET);
    take_all();
    CHECK_EQ(rig.rx.lanes[1].taken, 1);

    /* The consumer takes bit and record meanwhile, and sleeps again. */
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    CHECK(vmr_producer_push_own(&rig.tx, 1, &event));
    kept_from = call;
    CHECK_EQ(vmr_producer_flush_own(&rig.tx, 1), VMR_FLUSH_AGAIN);
    vmr_consumer_disarm(&rig.rx, 0);
    take_all();
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    CHECK(vmr_producer_push_own(&rig.tx, 1, &event));
    CHECK_EQ(vmr_producer_flush_own(&rig.tx, 1), VMR_FLUSH_RING);
    take_all();
    CHECK_EQ(rig.rx.lanes[1].taken, 3);
    CHECK(!rig.tx.lanes[1].kept_from);
}

/* Hints that could not be fetched are fetched later; nobody sleeps on them. */
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
    others = &rig.tx.rmws;
    kept_from = 1;
    if (by_arming)
        CHECK(!vmr_producer_arm(&rig.tx));
    else
        CHECK(!rig_collect(&rig, &verdict));
    CHECK(!rig.tx.broken);
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_CONSUMER);
    CHECK_EQ(rig.tx.ignored, 0);
}

/* The bits of requests, then those of lanes. */
static void consumer_refills(unsigned int call)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    make();
    raise_both();
    (void)vmr_producer_flush(&rig.tx);
    others = rig.rx.rmws;
    kept_from = call;
    CHECK(vmr_bell_refill(&rig.rx.groups[0].bell));
    CHECK_EQ(kept_from, 0);
    CHECK(!vmr_bell_arm(&rig.rx.groups[0].bell));
    take_all();
    CHECK_EQ(rig.rx.slots[0].taken, 1);
    CHECK_EQ(rig.rx.lanes[1].taken, 1);
    CHECK_EQ(rig.rx.groups[0].rejected, 0);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_NONE);
}

static void consumer_answers(void)
{
    struct xen_vm_ring_event event;
    struct vmr_verdict verdict;
    uint32_t where;

    make();
    raise_both();
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_REQUEST);
    {
        struct xen_vm_ring_event record;
        uint32_t lane;

        while (vmr_consumer_next(&rig.rx, 0, &record, &lane) != VMR_NEXT_NONE)
            ;
    }
    (void)vmr_producer_arm(&rig.tx);
    others = rig.rx.rmws;
    kept_from = 1;
    CHECK(!rig_answer(&rig, &event, where));
    CHECK(!vmr_consumer_arm(&rig.rx, 0));
    CHECK(vmr_consumer_flush(&rig.rx, 0));
    CHECK(!vmr_consumer_flush(&rig.rx, 0));
    CHECK_EQ(rig.rx.groups[0].rejected, 0);
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_CONSUMER);
}

int main(void)
{
    for (unsigned int call = 1; call <= 3; call++)
        producer_flushes(call);
    producer_wakes();
    producer_is_not_alone();
    for (unsigned int call = 1; call <= 2; call++) {
        vcpu_flushes(call);
        consumer_refills(call);
    }
    producer_fetches(false);
    producer_fetches(true);
    consumer_answers();
    return 0;
}
