/* SPDX-License-Identifier: MIT */
#include "told.h"

#include <errno.h>
#include <unistd.h>

#include "../base/watch.h"

void worker_wake(const struct vmring_worker *worker)
{
    uint64_t one = 1;

    /* It fails only if it is readable already. */
    (void)!write(worker->wake, &one, sizeof(one));
}

static void workers_wake(struct vmring *ring)
{
    for (uint32_t g = 0; g < ring->core.geo.nr_groups; g++)
        if (ring->workers[g])
            worker_wake(ring->workers[g]);
}

bool ring_poke(const struct vmring *ring)
{
    uint64_t one = 1;

    return write(ring->poke, &one, sizeof(one)) == sizeof(one);
}

/* For the workers, too; they look once more before they believe it. */
static void tell(struct vmring *ring, uint64_t word)
{
    /*
     * Pairs with the acquire load in look_last() of worker.c: what the producer
     * had published before it said so is seen by the look that follows.
     */
    vmr_store_release(&ring->told.word, word);
    workers_wake(ring);
}

/*
 * A channel that has hung up polls readable for ever, which would keep the
 * ring's thread awake until the workers have come to their end, too.
 */
static void stop_listening(struct vmring *ring)
{
    if (!ring->nr_workers)
        return;
    (void)watch_remove(ring->epoll, ring->link->ops->fd(ring->link));
    ring->poked = ring_poke(ring);
}

int told_lost(struct vmring *ring, int err)
{
    bool broken = err == -EPROTO;

    if (!ring->lost)
        log_to(&ring->log, LOG_WARNING, "%s",
               broken ? "the producer broke the protocol"
                      : "the producer is gone");
    if (!ring->lost)
        stop_listening(ring);
    if (!ring->lost || broken)
        ring->lost = broken ? -EPROTO : -ECONNRESET;
    if (broken)
        vmr_store_relaxed(&ring->told.broken, 1);
    tell(ring, ring->told.word | TOLD_GONE);
    return ring->lost;
}

void told_message(struct vmring *ring, uint32_t type)
{
    if (type == VMRING_LOCAL_QUIET)
        tell(ring, ring->told.word | TOLD_QUIET);
    else
        (void)told_lost(ring, -EPROTO); /* nothing else comes unasked */
}

void told_armed_anew(struct vmring *ring)
{
    tell(ring, (ring->told.word & ~TOLD_QUIET) + TOLD_STEP);
}

static uint64_t step_of(uint64_t told)
{
    return told / TOLD_STEP + 1;
}

bool workers_have_ended(const struct vmring *ring)
{
    for (uint32_t g = 0; g < ring->core.geo.nr_groups; g++) {
        const struct vmring_worker *worker = ring->workers[g];

        /*
         * Pairs with the release store in worker_says_ended(): all that it
         * counted until then is seen.
         */
        if (worker &&
            vmr_load_acquire(&worker->ended) != step_of(ring->told.word))
            return false;
    }
    return true;
}

void worker_says_ended(struct vmring_worker *worker, bool has, uint64_t told)
{
    uint64_t step = has ? step_of(told) : 0;

    if (worker->ended == step)
        return;
    /* Pairs with the acquire load in workers_have_ended(). */
    vmr_store_release(&worker->ended, step);
    if (step)
        (void)ring_poke(worker->ring);
}

int worker_breaks_all(struct vmring *ring)
{
    vmr_store_relaxed(&ring->told.broken, 1);
    workers_wake(ring);
    (void)ring_poke(ring);
    return -EPROTO;
}
