/* SPDX-License-Identifier: MIT */
/*
 * Description: one event at a time, and both ends about to sleep all the
 * while: each wake-up comes, though a barrier that is missing shows only in
 * some of many rounds.  One that is lost hangs; the test's limit reports it.
 */
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "rig.h"

#ifdef VMR_TSAN
#define ROUNDS 30000
#else
#define ROUNDS 250000
#endif

static struct rig rig;
static int to_producer, to_consumer;

static void ring(int fd)
{
    uint64_t one = 1;

    CHECK(write(fd, &one, sizeof(one)) == sizeof(one));
}

static void sleep_on(int fd)
{
    uint64_t value;

    CHECK(read(fd, &value, sizeof(value)) == sizeof(value));
}

/* So that the two meet at every point sooner or later. */
static void dally(uint64_t *seed)
{
    for (volatile uint32_t i = rig_random(seed) % 64; i; i--)
        ;
}

static void *produce(void *unused)
{
    uint64_t seed = 1;

    for (uint64_t i = 1; i <= ROUNDS; i++) {
        struct vmr_request request = rig_request(0, i, VMR_NO_DEADLINE);
        struct vmr_verdict verdict;

        dally(&seed);
        if (i & 1)
            (void)vmr_producer_push(&rig.tx, 1, &request.event);
        else
            CHECK(vmr_producer_post(&rig.tx, &request));
        if (vmr_producer_flush(&rig.tx))
            ring(to_consumer);
        dally(&seed);
        /* For the request its verdict; a record's, the next asks for. */
        while (!(i & 1) && !rig_collect(&rig, &verdict))
            if (vmr_producer_arm(&rig.tx))
                sleep_on(to_producer);
    }
    return unused;
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(1, 1, 0, 2);
    struct xen_vm_ring_event event;
    uint64_t taken = 0, seed = 2;
    pthread_t thread;
    uint32_t where;

    rig_make(&rig, &geo);
    to_producer = eventfd(0, 0);
    to_consumer = eventfd(0, 0);
    CHECK(to_producer >= 0 && to_consumer >= 0);
    CHECK(!pthread_create(&thread, NULL, produce, NULL));
    while (taken < ROUNDS / 2) {
        switch (vmr_consumer_next(&rig.rx, 0, &event, &where)) {
        case VMR_NEXT_REQUEST:
            taken++;
            dally(&seed);
            if (rig_answer(&rig, &event, where))
                ring(to_producer);
            break;
        case VMR_NEXT_NONE:
            dally(&seed);
            if (vmr_consumer_arm(&rig.rx, 0))
                sleep_on(to_consumer);
            break;
        case VMR_NEXT_RECORD:
        case VMR_NEXT_AGAIN:
            break;
        case VMR_NEXT_BROKEN:
            CHECK(!"fault");
        }
    }
    CHECK(!pthread_join(thread, NULL));
    return 0;
}
