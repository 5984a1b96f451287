/* SPDX-License-Identifier: MIT */
/*
 * Description: quiet, the end of the target and the producer's death reach
 * every worker, and then the ring, after the last event of each; whoever has
 * to look is woken.
 */
#include <errno.h>
#include <sys/socket.h>

#include "workers.h"

/* The last records come with the news, and before the end. */
static void quiet(void)
{
    begin();
    open_workers();
    all_sleep();
    CHECK_EQ(vmring_quiesce(pair.ring), 0);
    push(0);
    pair_serve(); /* flushes, and says so */
    CHECK(ring_is_woken());
    CHECK_EQ(ring_next(), 0);
    CHECK(is_woken(0) && is_woken(1));
    CHECK_EQ(next(0), 1);
    CHECK_EQ(event.lane, 0);
    end_with(-ENODATA);
    /* It is quiet still; but not after another subscription. */
    CHECK_EQ(next(1), -ENODATA);
    CHECK_EQ(vmring_subscribe(pair.ring, "vmexit", NULL, NULL, 0), 1);
    CHECK(is_woken(0) && is_woken(1));
    all_sleep();
    CHECK_EQ(vmring_quiesce(pair.ring), 0);
    pair_serve();
    end_with(-ENODATA);
    pair_end(&pair);
}

/* A worker that is at its end may go on, and the ring with it. */
static void goes_on(void)
{
    begin();
    open_workers();
    CHECK_EQ(vmring_quiesce(pair.ring), 0);
    pair_serve();
    CHECK_EQ(ring_next(), 0);
    CHECK_EQ(next(0), -ENODATA);
    CHECK_EQ(next(1), -ENODATA);
    push(1); /* which a producer that is quiet does not */
    vmring_producer_flush(pair.producer);
    CHECK_EQ(next(1), 1);
    CHECK_EQ(ring_next(), 0);
    CHECK_EQ(next(1), -ENODATA);
    CHECK_EQ(ring_next(), -ENODATA);
    pair_end(&pair);
}

/* It was told, and slow: the producer has hung up, and goes on in P. */
static void hung_up_on(void)
{
    begin();
    open_workers();
    CHECK_EQ(vmring_quiesce(pair.ring), 0);
    pair_serve();
    CHECK_EQ(ring_next(), 0);
    CHECK_EQ(next(1), -ENODATA);
    CHECK_EQ(shutdown(pair.served, SHUT_RDWR), 0);
    pair_serve();
    push(0);
    vmring_producer_flush(pair.producer);
    CHECK_EQ(next(0), 1);
    CHECK_EQ(event.lane, 0);
    CHECK_EQ(next(0), -ENODATA);
    CHECK_EQ(next(1), -ENODATA);
    CHECK_EQ(ring_next(), -ENODATA);
    pair_end(&pair);
}

static void target_ends(void)
{
    begin();
    open_workers();
    all_sleep();
    push(1);
    vmring_producer_set_target_state(pair.producer, XEN_VM_RING_TARGET_SHUTDOWN,
                                     3);
    CHECK(is_woken(0) && is_woken(1));
    CHECK_EQ(next(0), -ESRCH);
    CHECK_EQ(ring_next(), 0);
    CHECK_EQ(next(1), 1);
    CHECK_EQ(event.lane, 1);
    CHECK_EQ(next(1), -ESRCH);
    CHECK(ring_is_woken());
    /* Told when all is delivered, and before the end. */
    CHECK_EQ(ring_next(), VMRING_NEXT_TARGET);
    CHECK_EQ(event.target, XEN_VM_RING_TARGET_SHUTDOWN);
    CHECK_EQ(ring_next(), -ESRCH);
    pair_end(&pair);
}

/* No doorbell is the ring's, but a worker that is rung tells it. */
static void target_pauses(void)
{
    begin();
    open_workers();
    all_sleep();
    vmring_producer_set_target_state(pair.producer, XEN_VM_RING_TARGET_PAUSED,
                                     0);
    CHECK(is_woken(1));
    CHECK_EQ(next(1), 0);
    CHECK(ring_is_woken());
    CHECK_EQ(ring_next(), VMRING_NEXT_TARGET);
    CHECK_EQ(event.target, XEN_VM_RING_TARGET_PAUSED);
    all_sleep();
    /* Also one that always has events, and is not rung. */
    push(1);
    vmring_producer_flush(pair.producer);
    CHECK_EQ(next(1), 1);
    vmring_producer_set_target_state(pair.producer, XEN_VM_RING_TARGET_RUNNING,
                                     0);
    for (int i = 0; i < 100; i++) {
        push(1);
        vmring_producer_flush(pair.producer);
        CHECK_EQ(next(1), 1);
    }
    CHECK(ring_is_woken());
    CHECK_EQ(ring_next(), VMRING_NEXT_TARGET);
    CHECK_EQ(event.target, XEN_VM_RING_TARGET_RUNNING);
    pair_end(&pair);
}

/* The ring's own groups may have events all the time, too. */
static void pauses_amid_events(void)
{
    static const unsigned int states[] = {XEN_VM_RING_TARGET_PAUSED,
                                          XEN_VM_RING_TARGET_RUNNING};

    begin();
    CHECK_EQ(vmring_worker_open(pair.ring, 1, &workers[1]), 0);
    for (unsigned int i = 0; i < 2; i++) {
        int ret = 1;

        vmring_producer_set_target_state(pair.producer, states[i], 0);
        for (int events = 0; ret == 1 && events < 100; events++) {
            push(0);
            vmring_producer_flush(pair.producer);
            ret = ring_next();
        }
        CHECK_EQ(ret, VMRING_NEXT_TARGET);
        CHECK_EQ(event.target, states[i]);
    }
    pair_end(&pair);
}

/* What it had pushed and not flushed is taken, of every group. */
static void producer_dies(bool after_its_target)
{
    begin();
    open_workers();
    all_sleep();
    if (after_its_target) {
        vmring_producer_set_target_state(pair.producer,
                                         XEN_VM_RING_TARGET_SHUTDOWN, 0);
        CHECK_EQ(next(0), -ESRCH);
        CHECK_EQ(next(1), -ESRCH);
    }
    push(0);
    push(3);
    CHECK_EQ(shutdown(pair.served, SHUT_RDWR), 0); /* as its death does */
    CHECK(ring_is_woken());
    if (after_its_target)
        CHECK_EQ(ring_next(), VMRING_NEXT_TARGET);
    else
        CHECK_EQ(ring_next(), 0);
    CHECK(is_woken(0) && is_woken(1));
    CHECK_EQ(next(0), 1);
    CHECK_EQ(event.lane, 0);
    CHECK_EQ(next(1), 1);
    CHECK_EQ(event.lane, 3);
    if (!after_its_target)
        end_with(-ECONNRESET);
    CHECK_EQ(vmring_quiesce(pair.ring), -ECONNRESET);
    pair_end(&pair);
}

/* One that had not looked at its group again leaves that to the ring. */
static void dies_and_closed(void)
{
    begin();
    CHECK_EQ(vmring_worker_open(pair.ring, 1, &workers[1]), 0);
    CHECK_EQ(next(1), 0);
    push(3);
    CHECK_EQ(shutdown(pair.served, SHUT_RDWR), 0);
    CHECK_EQ(ring_next(), 0);
    vmring_worker_close(workers[1]);
    CHECK_EQ(ring_next(), 1);
    CHECK_EQ(event.lane, 3);
    CHECK_EQ(ring_next(), -ECONNRESET);
    pair_end(&pair);
}

/* A doorbell that has hung up keeps nobody awake, nor is missed. */
static void bell_hangs_up(void)
{
    begin();
    open_workers();
    all_sleep();
    vmring_producer_close(pair.producer, NULL, NULL);
    CHECK(is_woken(1));
    CHECK_EQ(next(1), 0); /* its last ring */
    CHECK_EQ(next(1), 0);
    CHECK(!is_woken(1));
    CHECK_EQ(ring_next(), 0);
    CHECK(is_woken(1));
    end_with(-ECONNRESET);
    vmring_worker_close(workers[1]);
    /* And one that is opened on it waits for the others alone. */
    CHECK_EQ(vmring_worker_open(pair.ring, 1, &workers[1]), 0);
    CHECK_EQ(next(1), -ECONNRESET);
    vmring_close(pair.ring);
}

int main(void)
{
    quiet();
    goes_on();
    hung_up_on();
    target_ends();
    target_pauses();
    pauses_amid_events();
    producer_dies(false);
    producer_dies(true);
    dies_and_closed();
    bell_hangs_up();
    return 0;
}
