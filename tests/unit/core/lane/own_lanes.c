/* SPDX-License-Identifier: MIT */
/*
 * Description: threads that each push into a lane of their own and tell of it
 * themselves, while another posts and collects: every record comes once, in
 * order, and a consumer that sleeps is rung.  A wake-up that is lost hangs;
 * the test's limit reports it.
 */
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "rig.h"

#define VCPUS 4

#ifdef VMR_TSAN
#define EVENTS 5000
#else
#define EVENTS 200000
#endif

static struct rig rig;
static int bell;
static uint64_t attempted[VCPUS], pushed[VCPUS], last[VCPUS];
static uint64_t armings, rings, verdicts;

static void ring(void)
{
    uint64_t one = 1;

    (void)__atomic_fetch_add(&rings, 1, __ATOMIC_RELAXED);
    CHECK(write(bell, &one, sizeof(one)) == sizeof(one));
}

static void *vcpu(void *arg)
{
    uint32_t lane = (uint32_t)(uintptr_t)arg;
    uint64_t seed = lane + 1;

    for (uint64_t i = 1; i <= EVENTS; i++) {
        struct xen_vm_ring_event event = rig_event(4, lane, i);
        bool published;

        /* The last one gets through: of a loss nobody is told. */
        do {
            attempted[lane]++;
            published = vmr_producer_push_own(&rig.tx, lane, &event);
        } while (!published && i == EVENTS);
        pushed[lane] += published;
        if (rig_random(&seed) % 8 == 0 || i == EVENTS)
            if (vmr_producer_flush_own(&rig.tx, lane) == VMR_FLUSH_RING)
                ring();
        if (rig_random(&seed) % 4096 == 0)
            usleep(100);
    }
    return NULL;
}

/* The thread of everything else. */
static void *requests(void *unused)
{
    struct vmr_verdict verdict;

    for (uint64_t i = 1; i <= EVENTS / 100; i++) {
        struct vmr_request request = rig_request(i % VCPUS, i, 0);

        CHECK(vmr_producer_post(&rig.tx, &request));
        if (vmr_producer_flush(&rig.tx))
            ring();
        while (!rig_collect(&rig, &verdict))
            ;
        CHECK_EQ(verdict.request.cookie, i);
        verdicts++;
    }
    vmr_producer_set_target(&rig.tx, XEN_VM_RING_TARGET_DESTROYED, 0);
    return unused;
}

static void take(void)
{
    struct xen_vm_ring_event event;
    enum vmr_next next;
    uint32_t where;

    while ((next = vmr_consumer_next(&rig.rx, 0, &event, &where)) !=
           VMR_NEXT_NONE) {
        CHECK(next != VMR_NEXT_BROKEN);
        if (next != VMR_NEXT_RECORD)
            continue;
        CHECK(event.u.words[0] > last[where]);
        CHECK_EQ(event.u.words[3], event.u.words[0]);
        last[where] = event.u.words[0];
    }
}

static bool all_taken(void)
{
    for (uint32_t i = 0; i < VCPUS; i++) {
        if (last[i] < EVENTS)
            return false;
    }
    return true;
}

int main(void)
{
    struct vmr_geometry geo =
        rig_geometry(VCPUS, 1, XEN_VM_RING_POLICY_DISCARD, 64);
    pthread_t threads[VCPUS + 1];
    uint64_t value;

    rig_make(&rig, &geo);
    rig.now = 1; /* past every deadline: a verdict for each */
    bell = eventfd(0, 0);
    CHECK(bell >= 0);
    /* Asleep before they begin: it is woken once at least. */
    take();
    armings++;
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    for (uintptr_t i = 0; i < VCPUS; i++)
        CHECK(!pthread_create(&threads[i], NULL, vcpu, (void *)i));
    CHECK(!pthread_create(&threads[VCPUS], NULL, requests, NULL));
    CHECK(read(bell, &value, sizeof(value)) == sizeof(value));
    for (;;) {
        take();
        if (all_taken())
            break;
        armings++;
        if (!vmr_consumer_arm(&rig.rx, 0))
            continue;
        CHECK(read(bell, &value, sizeof(value)) == sizeof(value));
    }
    for (int i = 0; i <= VCPUS; i++)
        CHECK(!pthread_join(threads[i], NULL));
    for (uint32_t i = 0; i < VCPUS; i++) {
        CHECK_EQ(rig.rx.lanes[i].taken, pushed[i]);
        CHECK_EQ(rig_lane(&rig, i)->head, pushed[i]);
        CHECK_EQ(pushed[i] + rig_lane(&rig, i)->lost, attempted[i]);
    }
    CHECK_EQ(verdicts, EVENTS / 100);
    CHECK(rings <= armings);
    return 0;
}
