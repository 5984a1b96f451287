/* SPDX-License-Identifier: MIT */
/*
 * Description: many threads of one side that change words of C at once, with
 * a single try for each where that takes a loop (LL/SC): nobody is faulted for
 * it, each record is told of, a consumer that sleeps is rung.  And a peer that
 * writes those words without end: every call comes back, each request has its
 * verdict, and where an OR is one instruction nothing is a fault at all.
 */
#include <pthread.h>

/* Of our own we fail as often as can be; the peer has as many as ever. */
#define VMR_RMW_TRIES tries
static int tries = 1;

#include "rig.h"

#include "core/doorbell.c"

#define VCPUS 4

#if defined(VMR_TSAN) || defined(__aarch64__)
#define ROUNDS 2000
#else
#define ROUNDS 5000
#endif

static struct rig rig;
static pthread_barrier_t begins, ends;
static uint32_t stop;
static xen_vm_ring_u64 again, faults, rings;

static void flush(uint32_t lane, bool until_told)
{
    enum vmr_flush flush;

    do {
        flush = vmr_producer_flush_own(&rig.tx, lane);
        (void)vmr_add_relaxed(&rings, flush == VMR_FLUSH_RING);
        (void)vmr_add_relaxed(&again, flush == VMR_FLUSH_AGAIN);
        (void)vmr_add_relaxed(&faults, flush == VMR_FLUSH_BROKEN);
    } while (until_told && flush == VMR_FLUSH_AGAIN);
}

static void *vcpu(void *arg)
{
    uint32_t lane = (uint32_t)(uintptr_t)arg;

    for (uint64_t i = 1; i <= ROUNDS; i++) {
        struct xen_vm_ring_event event = rig_event(4, lane, i);

        pthread_barrier_wait(&begins);
        CHECK(vmr_producer_push_own(&rig.tx, lane, &event));
        flush(lane, true);
        pthread_barrier_wait(&ends);
    }
    return NULL;
}

/* By what it was told of alone. */
static void take(uint64_t round)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    for (int i = 0; i < VCPUS + 1; i++) {
        enum vmr_next next = vmr_consumer_next(&rig.rx, 0, &event, &where);

        CHECK(next == VMR_NEXT_RECORD || next == VMR_NEXT_REQUEST);
        CHECK_EQ(event.u.words[0], round);
        if (next == VMR_NEXT_REQUEST)
            (void)rig_answer(&rig, &event, where);
    }
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_NONE);
    vmr_consumer_publish(&rig.rx, 0);
}

static void begin(void)
{
    struct vmr_geometry geo =
        rig_geometry(VCPUS, 1, XEN_VM_RING_POLICY_DISCARD, 8);
    struct xen_vm_ring_event event;
    uint32_t where;

    rig_make(&rig, &geo);
    while (vmr_consumer_next(&rig.rx, 0, &event, &where) != VMR_NEXT_NONE)
        ;
    again = faults = rings = 0;
}

/* The consumer stands still while they are at it: it is in nobody's way. */
static void among_ourselves(void)
{
    pthread_t threads[VCPUS];
    struct vmr_verdict verdict;

    begin();
    for (uintptr_t i = 0; i < VCPUS; i++)
        CHECK(!pthread_create(&threads[i], NULL, vcpu, (void *)i));
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        struct vmr_request request = rig_request(i % VCPUS, i, VMR_NO_DEADLINE);

        CHECK(vmr_consumer_arm(&rig.rx, 0));
        rings = 0;
        pthread_barrier_wait(&begins);
        CHECK(vmr_producer_post(&rig.tx, &request));
        do
            (void)vmr_add_relaxed(&rings, vmr_producer_flush(&rig.tx));
        while (rig.tx.again);
        pthread_barrier_wait(&ends);
        CHECK(!rig.tx.broken && !faults);
        CHECK_EQ(rings, 1);
        take(i);
        CHECK(rig_collect(&rig, &verdict));
        CHECK_EQ(verdict.by, VMR_BY_CONSUMER);
    }
    for (int i = 0; i < VCPUS; i++)
        CHECK(!pthread_join(threads[i], NULL));
    printf("%llu times in each other's way\n", (unsigned long long)again);
}

static xen_vm_ring_u64 outcomes[VMR_RMW_PEER + 1];

/* Nothing but changes of one word, until there has been what is looked for. */
static void *change_on(void *arg)
{
    enum vmr_rmw wanted = (enum vmr_rmw)(uintptr_t)arg;
    xen_vm_ring_u64 *word = rig_answered(&rig, 0);
    uint64_t old;

    for (uint64_t i = 0; i < 100ULL * ROUNDS; i++) {
        (void)vmr_add_relaxed(&outcomes[or_bits(&rig.tx.rmws, word, i | 1)], 1);
        (void)vmr_add_relaxed(&outcomes[exchange(&rig.tx.rmws, word, &old)], 1);
        if (vmr_load_relaxed(&outcomes[wanted]))
            break;
    }
    return NULL;
}

static void told_apart(void)
{
    pthread_t threads[VCPUS];

    for (uint32_t i = 0; i <= VMR_RMW_PEER; i++)
        outcomes[i] = 0;
    for (int i = 0; i < VCPUS; i++)
        CHECK(!pthread_create(&threads[i], NULL, change_on,
                              (void *)(uintptr_t)VMR_RMW_OURS));
    for (int i = 0; i < VCPUS; i++)
        CHECK(!pthread_join(threads[i], NULL));
    printf("in each other's way: %llu of %llu\n",
           (unsigned long long)outcomes[VMR_RMW_OURS],
           (unsigned long long)outcomes[VMR_RMW_DONE]);
    CHECK_EQ(outcomes[VMR_RMW_PEER], 0);
}

/* Other values all the time, as an emulator compares them. */
static void *write_on(void *unused)
{
    struct xen_vm_ring_c_group *line = rig_group(&rig, 0);
    unsigned char *block = (void *)line;
    xen_vm_ring_u64 *lanes = (void *)(block + rig.geo.attn_lane_off);
    xen_vm_ring_u64 *requests = (void *)(block + rig.geo.attn_request_off);

    for (uint64_t i = 2; !vmr_load_relaxed32(&stop); i += 2) {
        vmr_store_relaxed(lanes, i << 32);
        vmr_store_relaxed(requests, i << 32);
        vmr_store_relaxed(rig_answered(&rig, 0), i);
        vmr_store_relaxed(&line->armed, i);
    }
    return unused;
}

/* Alone with the peer: what keeps us is the peer. */
static void told_apart_from_ours(void)
{
    pthread_t peer;

    for (uint32_t i = 0; i <= VMR_RMW_PEER; i++)
        outcomes[i] = 0;
    CHECK(!pthread_create(&peer, NULL, write_on, NULL));
    (void)change_on((void *)(uintptr_t)VMR_RMW_PEER);
    vmr_store_relaxed32(&stop, 1);
    CHECK(!pthread_join(peer, NULL));
    printf("in the peer's way: %llu of %llu\n",
           (unsigned long long)outcomes[VMR_RMW_PEER],
           (unsigned long long)outcomes[VMR_RMW_DONE]);
    CHECK_EQ(outcomes[VMR_RMW_OURS], 0);
    CHECK(VMR_RMW_CAN_FAIL || !outcomes[VMR_RMW_PEER]);
}

static void against_the_peer(void)
{
    struct vmr_verdict verdict;
    struct vmr_request request;
    pthread_t peer;

    begin();
    stop = 0;
    CHECK(!pthread_create(&peer, NULL, write_on, NULL));
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        struct xen_vm_ring_event event = rig_event(4, 1, i);

        (void)vmr_producer_push_own(&rig.tx, 1, &event);
        flush(1, false);
        rig.now = i;
        request = rig_request(0, i, i);
        CHECK(vmr_producer_post(&rig.tx, &request));
        (void)vmr_producer_flush(&rig.tx);
        /* A pass that was under way ends; the one after it is whole. */
        CHECK(rig_collect(&rig, &verdict) || rig_collect(&rig, &verdict));
        CHECK_EQ(verdict.request.cookie, i);
        CHECK_EQ(verdict.by, VMR_BY_DEADLINE);
        (void)vmr_producer_arm(&rig.tx);
    }
    vmr_store_relaxed32(&stop, 1);
    CHECK(!pthread_join(peer, NULL));
    CHECK_EQ(again, 0); /* no other thread of ours was there */
    printf("the lane is %stold of, the ring %s\n",
           rig.tx.lanes[1].kept_from ? "no longer " : "",
           rig.tx.broken ? "faulted" : "in order");
    if (!VMR_RMW_CAN_FAIL)
        CHECK(!faults && !rig.tx.broken);
}

int main(void)
{
    CHECK(!pthread_barrier_init(&begins, NULL, VCPUS + 1));
    CHECK(!pthread_barrier_init(&ends, NULL, VCPUS + 1));
    among_ourselves();
    told_apart();
    told_apart_from_ours();
    tries = 128;
    against_the_peer();
    return 0;
}
