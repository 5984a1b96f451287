/* SPDX-License-Identifier: MIT */
/*
 * frozen.c: Ps of earlier epochs, kept until a consumer says that it has read
 * them.  A consumer that is killed while it drains them costs nothing: its
 * successor gets the same again, marked as perhaps seen.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "frozen.h"
#include "slices.h"

#define MAX XEN_VM_RING_MAX_PREV

int frozen_open(struct vmring_producer *producer)
{
    producer->frozen.unread =
        calloc((size_t)MAX * producer->nr_lanes, sizeof(uint64_t));
    return producer->frozen.unread ? 0 : -ENOMEM;
}

static uint64_t *unread_of(struct vmring_producer *producer, unsigned int i)
{
    return producer->frozen.unread + (size_t)i * producer->nr_lanes;
}

/* The oldest is given up.  Nobody knows any more what its records were. */
static void give_up_oldest(struct vmring_producer *producer)
{
    struct frozen *frozen = &producer->frozen;
    const uint64_t *unread = unread_of(producer, 0);
    uint64_t lost = 0;

    for (uint32_t lane = 0; lane < producer->nr_lanes; lane++) {
        tally_of(producer, lane, XEN_VM_RING_REASON_UNKNOWN)->discarded +=
            unread[lane];
        lost += unread[lane];
    }
    producer->stats.discarded += lost;
    if (lost)
        log_to(&producer->log, LOG_WARNING,
               "%llu records that no consumer has drained are given up",
               (unsigned long long)lost);
    slices_drop(producer, &frozen->p[0]);
    frozen->nr--;
    memmove(frozen->p, frozen->p + 1, frozen->nr * sizeof(frozen->p[0]));
    memmove(unread_of(producer, 0), unread_of(producer, 1),
            (size_t)frozen->nr * producer->nr_lanes * sizeof(uint64_t));
}

static uint64_t length(const struct vmring_producer *producer)
{
    uint64_t sum = producer->p.len;

    for (unsigned int i = 0; i < producer->frozen.nr; i++)
        sum += producer->frozen.p[i].len;
    return sum;
}

void frozen_add(struct vmring_producer *producer)
{
    struct frozen *frozen = &producer->frozen;
    uint64_t *unread;

    if (!producer->p.at)
        return;
    /* Consumers that die in a row must not have us hold memory for each. */
    while (frozen->nr == MAX ||
           (frozen->nr && length(producer) > 2 * producer->max_async_len))
        give_up_oldest(producer);
    unread = unread_of(producer, frozen->nr);
    for (uint32_t i = 0; i < producer->nr_lanes; i++)
        unread[i] = producer->core.lanes[i].head - producer->core.lanes[i].cons;
    frozen->p[frozen->nr++] = producer->p;
    producer->p = REGION_NONE;
}

void frozen_take_back(struct vmring_producer *producer)
{
    struct frozen *frozen = &producer->frozen;

    if (producer->core.header && frozen->nr)
        producer->p = frozen->p[--frozen->nr];
}

void frozen_drop(struct vmring_producer *producer)
{
    while (producer->frozen.nr)
        slices_drop(producer, &producer->frozen.p[--producer->frozen.nr]);
}

void frozen_close(struct vmring_producer *producer)
{
    frozen_drop(producer);
    free(producer->frozen.unread);
}
