/* SPDX-License-Identifier: MIT */
/*
 * Description: a thread for each vCPU, which posts, sleeps and collects by
 * itself; a consumer's thread that answers and, as its hypercall would, wakes;
 * and consumers that go and come meanwhile: each request has one answer and
 * one verdict, in order.  A wake-up that is lost hangs; the test's limit
 * reports it.
 *
 * usage: threads GROUPS
 */
#include <pthread.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "by_vcpu.h"

#define VCPUS 4

#ifdef VMR_TSAN
#define REQUESTS 3000
#define EPOCHS   10
#else
#define REQUESTS 20000
#define EPOCHS   50
#endif

static struct rig rig;
static int bell; /* of the consumer's one thread */

static struct vcpu {
    sem_t sem;
    uint32_t sleeps; /* for all to see */
    uint64_t posted, collected, slept;
    uint64_t answered; /* the consumer's: the last that it answered */
    struct xen_vm_ring_response kept;
} vcpus[VCPUS];

/* Held for reading by each call, for writing by who makes "the others". */
static pthread_rwlock_t all_stop = PTHREAD_RWLOCK_INITIALIZER;
static uint32_t is_over;
static uint64_t rings, armings, nr_kept;

/* One that the consumer has taken, and answers the next time. */
static struct xen_vm_ring_event held;
static uint64_t held_in; /* that epoch; 0: there is none */

static void go(void)
{
    CHECK(!pthread_rwlock_rdlock(&all_stop));
}

static void gone(void)
{
    CHECK(!pthread_rwlock_unlock(&all_stop));
}

static void ring(void)
{
    uint64_t one = 1;

    CHECK(write(bell, &one, sizeof(one)) == sizeof(one));
}

/* Within go() and gone(). */
static void tell(uint32_t v, enum vmr_flush flush)
{
    while (flush == VMR_FLUSH_AGAIN)
        flush = vmr_vcpu_flush(&rig.tx, v);
    CHECK(flush != VMR_FLUSH_BROKEN);
    if (flush != VMR_FLUSH_RING)
        return;
    (void)__atomic_fetch_add(&rings, 1, __ATOMIC_RELAXED);
    ring();
}

static void post(uint32_t v)
{
    go();
    tell(v, vcpu_post(&rig, v, ++vcpus[v].posted, VMR_NO_DEADLINE));
    gone();
}

/* The first request has its verdict, and is over. */
static bool collect(uint32_t v)
{
    struct xen_vm_ring_response response;
    const struct vmr_request *request;
    enum vmr_by by;

    go();
    request = vmr_vcpu_collect(&rig.tx, v, 0, &response, &by);
    if (request) {
        CHECK_EQ(by, VMR_BY_CONSUMER);
        CHECK_EQ(request->cookie, ++vcpus[v].collected);
        CHECK_EQ(response.altp2m_idx, (uint16_t)request->cookie);
        tell(v, vmr_vcpu_retire(&rig.tx, v));
    }
    gone();
    return request;
}

static void sleep_if_nothing_is_due(uint32_t v)
{
    struct vcpu *vcpu = &vcpus[v];
    bool due;

    __atomic_store_n(&vcpu->sleeps, 1, __ATOMIC_RELAXED);
    go();
    due = vmr_vcpu_is_due(&rig.tx, v);
    gone();
    /* Whoever has taken the mark away has posted. */
    if (due && __atomic_exchange_n(&vcpu->sleeps, 0, __ATOMIC_RELAXED))
        return;
    vcpu->slept++;
    CHECK(!sem_wait(&vcpu->sem));
}

static void wake(uint32_t v)
{
    if (__atomic_exchange_n(&vcpus[v].sleeps, 0, __ATOMIC_RELAXED))
        CHECK(!sem_post(&vcpus[v].sem));
}

/* One request at a time, or three in a row. */
static void *run_vcpu(void *arg)
{
    uint32_t v = (uint32_t)(uintptr_t)arg;
    struct vcpu *vcpu = &vcpus[v];
    uint64_t seed = v + 1;

    while (vcpu->posted < REQUESTS) {
        for (int nr = rig_random(&seed) % 4 ? 1 : 3; nr; nr--)
            post(v);
        while (vcpu->collected < vcpu->posted)
            if (!collect(v))
                sleep_if_nothing_is_due(v);
    }
    return NULL;
}

static void answer(const struct xen_vm_ring_event *event)
{
    struct xen_vm_ring_response response = {
        .reason = event->reason,
        .altp2m_idx = (uint16_t)event->u.words[0],
    };

    for (int i = 1; i < 4; i++)
        CHECK_EQ(event->u.words[i], event->u.words[0]);
    CHECK_EQ(event->u.words[0], ++vcpus[event->vcpu].answered);
    CHECK(vmr_consumer_answer(&rig.rx, event->vcpu, event->state, &response));
}

/* All that a group has been asked, but for one now and then. */
static bool serve(uint32_t group)
{
    static uint64_t seed = 99;
    struct xen_vm_ring_event event;
    uint32_t where;
    bool any = false;

    while (vmr_consumer_next(&rig.rx, group, &event, &where) ==
           VMR_NEXT_REQUEST) {
        any = true;
        if (rig_random(&seed) % 8 == 0 && held_in != rig.geo.epoch) {
            held = event;
            held_in = rig.geo.epoch;
        } else {
            answer(&event);
        }
    }
    return any;
}

/* As the hypercall of the consumer does. */
static void wake_answered(uint32_t group)
{
    uint32_t vcpu;

    do
        while (vmr_group_answered(&rig.tx, group, &vcpu))
            wake(vcpu);
    while (!vmr_group_arm(&rig.tx, group));
}

/* false: there is nothing to do, and the bell will ring. */
static bool consume(void)
{
    bool any = false, armed = true;

    if (held_in == rig.geo.epoch) {
        answer(&held);
        any = true;
    }
    held_in = 0;
    for (uint32_t g = 0; g < rig.geo.nr_groups; g++) {
        any |= serve(g);
        (void)vmr_consumer_flush(&rig.rx, g);
        wake_answered(g);
    }
    for (uint32_t g = 0; !any && g < rig.geo.nr_groups; g++) {
        armings++;
        armed &= vmr_consumer_arm(&rig.rx, g);
    }
    return any || !armed;
}

static void *run_consumer(void *unused)
{
    uint64_t value;
    bool busy;

    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
        go();
        busy = rig.tx.attached && consume();
        gone();
        if (!busy)
            CHECK(read(bell, &value, sizeof(value)) == sizeof(value));
    }
    return unused;
}

/* The consumer has gone; all are stopped. */
static void lose_consumer(bool leaves)
{
    for (uint32_t v = 0; v < VCPUS; v++) {
        if (!vmr_vcpu_keep(&rig.tx, v, &vcpus[v].kept))
            continue;
        nr_kept++;
        wake(v);
    }
    CHECK(leaves ? vmr_producer_leave(&rig.tx) : vmr_producer_let_go(&rig.tx));
    CHECK(mprotect(rig.c, rig.geo.c_len, PROT_NONE) == 0);
    if (leaves)
        CHECK(mprotect(rig.p, rig.geo.p_len, PROT_NONE) == 0);
}

static void change_consumers(void)
{
    for (int i = 0; i < EPOCHS; i++) {
        CHECK(!usleep(300));
        CHECK(!pthread_rwlock_wrlock(&all_stop));
        lose_consumer(i % 2);
        if (i % 3 == 0) {
            /* They go on meanwhile. */
            gone();
            CHECK(!usleep(100));
            CHECK(!pthread_rwlock_wrlock(&all_stop));
        }
        rig_attach(&rig);
        (void)vmr_producer_flush(&rig.tx);
        ring();
        gone();
    }
}

static void check_counts(void)
{
    uint64_t slept = 0;

    for (uint32_t v = 0; v < VCPUS; v++) {
        const struct vcpu *vcpu = &vcpus[v];

        CHECK(vcpu->posted >= REQUESTS);
        CHECK_EQ(vcpu->collected, vcpu->posted);
        CHECK_EQ(vcpu->answered, vcpu->posted);
        CHECK_EQ(rig.tx.slots[v].ignored, 0);
        CHECK(!vmr_vcpu_first(&rig.tx, v));
        slept += vcpu->slept;
    }
    CHECK(slept);
    CHECK(rings <= armings);
    printf("%llu slept, %llu answers kept, %llu doorbells, %llu armings\n",
           (unsigned long long)slept, (unsigned long long)nr_kept,
           (unsigned long long)rings, (unsigned long long)armings);
}

int main(int argc, char **argv)
{
    pthread_t threads[VCPUS], consumer;
    struct vmr_geometry geo;

    CHECK(argc == 2);
    geo = rig_geometry(VCPUS, (uint32_t)atoi(argv[1]), 0, 2);
    rig_make(&rig, &geo);
    bell = eventfd(0, 0);
    CHECK(bell >= 0);
    for (uintptr_t v = 0; v < VCPUS; v++) {
        CHECK(!sem_init(&vcpus[v].sem, 0, 0));
        CHECK(!pthread_create(&threads[v], NULL, run_vcpu, (void *)v));
    }
    CHECK(!pthread_create(&consumer, NULL, run_consumer, NULL));
    change_consumers();
    for (uint32_t v = 0; v < VCPUS; v++)
        CHECK(!pthread_join(threads[v], NULL));
    __atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
    ring();
    CHECK(!pthread_join(consumer, NULL));
    check_counts();
    return 0;
}
