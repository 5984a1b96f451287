/* SPDX-License-Identifier: MIT */
/*
 * Description: threads push into the lane of no vCPU whenever they like, while
 * consumers come and go: nothing of C is touched after the sweep, nothing of P
 * after it is frozen, and the ledgers of all epochs have every attempt.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "rig.h"

#define PUSHERS 2

#ifdef VMR_TSAN
#define ROUNDS 150
#else
#define ROUNDS 1500
#endif

static struct rig rig;
static uint32_t stop;
static uint64_t attempts[PUSHERS];

static void *push_on(void *arg)
{
    uint64_t *count = arg;
    struct xen_vm_ring_event event = rig_event(1, 0, 7);

    while (!vmr_load_relaxed32(&stop)) {
        (void)vmr_producer_push(&rig.tx, 2, &event);
        ++*count;
    }
    return NULL;
}

static void detach(void)
{
    struct vmr_verdict verdict;

    vmr_producer_sweep(&rig.tx);
    while (rig.tx.attached)
        CHECK(!rig_collect(&rig, &verdict));
    /* A push that is not over would be the end of us. */
    CHECK(mprotect(rig.c, rig.geo.c_len, PROT_NONE) == 0);
}

/* What P says, now that it stands still. */
static uint64_t frozen(void)
{
    const struct xen_vm_ring_lane *line = rig_lane(&rig, 2);
    uint64_t sum;

    while (!vmr_producer_freeze(&rig.tx))
        ;
    sum = line->head + line->lost + line->lost_contended;
    CHECK(mprotect(rig.p, rig.geo.p_len, PROT_NONE) == 0);
    return sum;
}

static void attach(void)
{
    CHECK(munmap(rig.p, rig.geo.p_len) == 0);
    CHECK(munmap(rig.c, rig.geo.c_len) == 0);
    rig.p = guarded(rig.geo.p_len);
    rig.c = guarded(rig.geo.c_len);
    vmr_geometry_publish(&rig.geo, (void *)rig.p);
    vmr_producer_attach(&rig.tx, &rig.geo, rig.p, rig.c);
    vmr_consumer_init(&rig.rx, &rig.geo, rig.rx_memory, rig.p, rig.c);
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 4);
    pthread_t threads[PUSHERS];
    uint64_t counted = 0, tried = 0;
    struct xen_vm_ring_event event;
    uint32_t where;

    rig_make(&rig, &geo);
    for (int i = 0; i < PUSHERS; i++)
        CHECK(!pthread_create(&threads[i], NULL, push_on, &attempts[i]));
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 8; i++) {
            (void)vmr_producer_flush(&rig.tx);
            (void)vmr_consumer_next(&rig.rx, 0, &event, &where);
        }
        vmr_consumer_publish(&rig.rx, 0);
        detach();
        counted += frozen();
        attach();
    }
    vmr_store_relaxed32(&stop, 1);
    for (int i = 0; i < PUSHERS; i++) {
        CHECK(!pthread_join(threads[i], NULL));
        tried += attempts[i];
    }
    (void)vmr_producer_flush(&rig.tx);
    counted += frozen();
    CHECK_EQ(counted, tried);
    return 0;
}
