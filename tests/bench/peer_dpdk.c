/* SPDX-License-Identifier: MIT */
/*
 * peer_dpdk.c: DPDK's rte_ring with elements, in memory of our own, so that
 * no environment of DPDK's is needed; as many a call as the batch.
 */
#include <stdlib.h>

#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "queue.h"
#include "tables.h"

static void *dpdk_make(const struct queue_plan *plan,
                       struct bench_sample *sample, unsigned flags)
{
    unsigned count = 1;
    struct rte_ring *ring;
    ssize_t len;

    while (count * 2 <= QUEUE_BYTES / plan->len)
        count *= 2;
    len = rte_ring_get_memsize_elem(plan->len, count);
    ring = len > 0 ? aligned_alloc(128, ((size_t)len + 127) / 128 * 128) : NULL;
    if (!ring ||
        rte_ring_init(ring, "vmring-bench", count, flags | RING_F_SC_DEQ)) {
        (void)bench_skip(sample, "rte_ring_init has failed");
        free(ring);
        return NULL;
    }
    return ring;
}

static void *sp_make(const struct queue_plan *plan, struct bench_sample *sample)
{
    return dpdk_make(plan, sample, RING_F_SP_ENQ);
}

static void *mp_make(const struct queue_plan *plan, struct bench_sample *sample)
{
    return dpdk_make(plan, sample, 0);
}

static void *rts_make(const struct queue_plan *plan,
                      struct bench_sample *sample)
{
    return dpdk_make(plan, sample, RING_F_MP_RTS_ENQ);
}

static void *hts_make(const struct queue_plan *plan,
                      struct bench_sample *sample)
{
    return dpdk_make(plan, sample, RING_F_MP_HTS_ENQ);
}

static inline size_t sp_push(void *queue, uint32_t who,
                             const unsigned char *records, size_t nr,
                             size_t len)
{
    (void)who;
    return rte_ring_sp_enqueue_burst_elem(queue, records, (unsigned)len,
                                          (unsigned)nr, NULL);
}

/* In the mode that the ring was made with. */
static inline size_t mp_push(void *queue, uint32_t who,
                             const unsigned char *records, size_t nr,
                             size_t len)
{
    (void)who;
    return rte_ring_enqueue_burst_elem(queue, records, (unsigned)len,
                                       (unsigned)nr, NULL);
}

static inline size_t dpdk_pull(void *queue, unsigned char *records, size_t nr,
                               size_t len)
{
    return rte_ring_sc_dequeue_burst_elem(queue, records, (unsigned)len,
                                          (unsigned)nr, NULL);
}

#define DPDK(name, push_)                                                      \
    static const struct queue_ops rte_##name##_ops = {                         \
        .make = name##_make,                                                   \
        .end = free,                                                           \
        .push = push_,                                                         \
        .pull = dpdk_pull,                                                     \
    };                                                                         \
    QUEUE_CONTESTANT(rte_##name)

DPDK(sp, sp_push);
DPDK(mp, mp_push);
DPDK(rts, mp_push);
DPDK(hts, mp_push);

static const struct bench_case cases[] = {
    QUEUE_THREADS("rte_ring", "single producer, single consumer", 0, rte_sp),
    QUEUE_PRODUCERS("rte_ring", "multi-producer", 0, rte_mp),
    QUEUE_PRODUCERS("rte_ring RTS", "multi-producer, relaxed tail sync", 0,
                    rte_rts),
    QUEUE_PRODUCERS("rte_ring HTS", "multi-producer, serialised heads", 0,
                    rte_hts),
};

const struct bench_table peer_dpdk_cases = {cases,
                                            sizeof(cases) / sizeof(cases[0])};
