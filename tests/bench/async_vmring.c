/* SPDX-License-Identifier: MIT */
/* async_vmring.c: the ring itself, a lane a producer, in both policies. */
#include "queue.h"
#include "tables.h"

#include <stdlib.h>

#include "core/consumer.h"
#include "core/producer.h"

struct ring {
    struct vmr_geometry geo;
    unsigned char *p, *c;
    /* Each side's private state, apart as that of two programs is. */
    struct vmr_producer tx __attribute__((__aligned__(4096)));
    struct vmr_consumer rx __attribute__((__aligned__(4096)));
    void *tx_memory, *rx_memory;
};

static void ring_end(void *queue)
{
    struct ring *ring = queue;

    bench_unmap(ring->p, ring->geo.p_len);
    bench_unmap(ring->c, ring->geo.c_len);
    bench_unmap(ring->tx_memory,
                vmr_producer_size(ring->geo.nr_vcpus, ring->geo.nr_lanes));
    bench_unmap(ring->rx_memory, vmr_consumer_size(&ring->geo));
    bench_unmap(ring, sizeof(*ring));
}

/* Between processes each side uses its own half of this alone. */
static void *ring_make(const struct queue_plan *plan,
                       struct bench_sample *sample, uint32_t policy)
{
    struct ring *ring = bench_map(sizeof(*ring));
    struct vmr_geometry geo = {
        .epoch = 1,
        .nr_vcpus = plan->producers,
        .nr_lanes = plan->producers,
        .nr_groups = 1,
        .loss_policy = policy,
        .arch = XEN_VM_RING_ARCH_X86,
        .clock = XEN_VM_RING_CLOCK_MONOTONIC,
        .record_len = (plan->len + 63) / 64 * 64,
    };

    if (!ring || !vmr_geometry_lay_out(&geo, QUEUE_BYTES)) {
        (void)bench_skip(sample, "no memory, or no such geometry");
        bench_unmap(ring, sizeof(*ring));
        return NULL;
    }
    ring->geo = geo;
    ring->p = bench_map(geo.p_len);
    ring->c = bench_map(geo.c_len);
    ring->tx_memory = bench_map(vmr_producer_size(geo.nr_vcpus, geo.nr_lanes));
    ring->rx_memory = bench_map(vmr_consumer_size(&geo));
    if (!ring->p || !ring->c || !ring->tx_memory || !ring->rx_memory) {
        (void)bench_skip(sample, "no memory");
        ring_end(ring);
        return NULL;
    }
    vmr_geometry_publish(&geo, (void *)ring->p);
    vmr_producer_init(&ring->tx, ring->tx_memory, geo.nr_vcpus, geo.nr_lanes);
    vmr_producer_attach(&ring->tx, &geo, ring->p, ring->c);
    vmr_consumer_init(&ring->rx, &geo, ring->rx_memory, ring->p, ring->c);
    return ring;
}

static void *discard_make(const struct queue_plan *plan,
                          struct bench_sample *sample)
{
    return ring_make(plan, sample, XEN_VM_RING_POLICY_DISCARD);
}

static void *overwrite_make(const struct queue_plan *plan,
                            struct bench_sample *sample)
{
    return ring_make(plan, sample, XEN_VM_RING_POLICY_OVERWRITE);
}

static inline size_t ring_push(void *queue, uint32_t who,
                               const unsigned char *records, size_t nr,
                               size_t len)
{
    struct ring *ring = queue;
    size_t accepted = 0;

    for (size_t i = 0; i < nr; i++)
        accepted += vmr_producer_push(&ring->tx, who,
                                      (const void *)(records + i * len));
    /* The consumer never sleeps here, so there is nobody to ring for. */
    (void)vmr_producer_flush(&ring->tx);
    return accepted;
}

static inline size_t ring_pull(void *queue, unsigned char *records, size_t nr,
                               size_t len)
{
    struct ring *ring = queue;
    uint32_t where;

    for (size_t i = 0; i < nr; i++) {
        switch (vmr_consumer_next(&ring->rx, 0, (void *)(records + i * len),
                                  &where)) {
        case VMR_NEXT_RECORD:
            continue;
        case VMR_NEXT_AGAIN:
            i--;
            continue;
        default:
            return i;
        }
    }
    return nr;
}

/* Each producer is a thread of its own and keeps to its lane. */
static inline size_t own_push(void *queue, uint32_t who,
                              const unsigned char *records, size_t nr,
                              size_t len)
{
    struct ring *ring = queue;
    size_t accepted = 0;

    for (size_t i = 0; i < nr; i++)
        accepted += vmr_producer_push_own(&ring->tx, who,
                                          (const void *)(records + i * len));
    (void)vmr_producer_flush_own(&ring->tx, who);
    return accepted;
}

static uint64_t ring_overwritten(void *queue)
{
    struct ring *ring = queue;
    uint64_t overwritten = 0;

    for (uint32_t i = 0; i < ring->geo.nr_lanes; i++)
        overwritten += ring->rx.lanes[i].overwritten;
    return overwritten;
}

static const struct queue_ops discard_ops = {
    .make = discard_make,
    .end = ring_end,
    .push = ring_push,
    .pull = ring_pull,
};
QUEUE_CONTESTANT(discard);

static const struct queue_ops overwrite_ops = {
    .make = overwrite_make,
    .end = ring_end,
    .push = ring_push,
    .pull = ring_pull,
    .overwritten = ring_overwritten,
};
QUEUE_CONTESTANT(overwrite);

static const struct queue_ops own_discard_ops = {
    .make = discard_make,
    .end = ring_end,
    .push = own_push,
    .pull = ring_pull,
};
QUEUE_CONTESTANT(own_discard);

static const struct queue_ops own_overwrite_ops = {
    .make = overwrite_make,
    .end = ring_end,
    .push = own_push,
    .pull = ring_pull,
    .overwritten = ring_overwritten,
};
QUEUE_CONTESTANT(own_overwrite);

#define DISCARD   "this ring, a full lane loses the newest"
#define OVERWRITE "this ring, a full lane loses the oldest"

static const struct bench_case cases[] = {
    QUEUE_THREADS("vmring discard", DISCARD, 0, discard),
    QUEUE_THREADS("vmring overwrite", OVERWRITE, 0, overwrite),
    QUEUE_PROCESSES("vmring discard", DISCARD, 0, discard),
    QUEUE_PROCESSES("vmring overwrite", OVERWRITE, 0, overwrite),
    QUEUE_PRODUCERS("vmring discard", DISCARD ", a lane each", BENCH_REFERENCE,
                    own_discard),
    QUEUE_PRODUCERS("vmring overwrite", OVERWRITE ", a lane each", 0,
                    own_overwrite),
};

const struct bench_table async_vmring_cases = {cases, sizeof(cases) /
                                                          sizeof(cases[0])};
