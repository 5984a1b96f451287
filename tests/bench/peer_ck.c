/* SPDX-License-Identifier: MIT */
/* peer_ck.c: Concurrency Kit's ck_ring of fixed entries, spsc and mpsc. */
#include <stdlib.h>

#include <ck_ring.h>

#include "queue.h"
#include "tables.h"

struct small {
    unsigned char bytes[QUEUE_SMALL];
};
struct whole {
    unsigned char bytes[QUEUE_WHOLE];
};
CK_RING_PROTOTYPE(small, small)
CK_RING_PROTOTYPE(whole, whole)

struct ck {
    struct ck_ring ring;
    void *records;
};

static void *ck_make(const struct queue_plan *plan, struct bench_sample *sample)
{
    struct ck *ck = bench_map(sizeof(*ck));
    unsigned size = 1;

    if (ck)
        ck->records = bench_map(QUEUE_BYTES);
    if (!ck || !ck->records) {
        (void)bench_skip(sample, "no memory");
        bench_unmap(ck, sizeof(*ck));
        return NULL;
    }
    while (size * 2 <= QUEUE_BYTES / plan->len)
        size *= 2;
    ck_ring_init(&ck->ring, size);
    return ck;
}

static void ck_end(void *queue)
{
    struct ck *ck = queue;

    bench_unmap(ck->records, QUEUE_BYTES);
    bench_unmap(ck, sizeof(*ck));
}

static inline size_t spsc_push(void *queue, uint32_t who,
                               const unsigned char *records, size_t nr,
                               size_t len)
{
    struct ck *ck = queue;
    size_t accepted = 0;

    (void)who;
    for (size_t i = 0; i < nr; i++) {
        void *record = (void *)(uintptr_t)(records + i * len);

        accepted +=
            len == QUEUE_SMALL
                ? ck_ring_enqueue_spsc_small(&ck->ring, ck->records, record)
                : ck_ring_enqueue_spsc_whole(&ck->ring, ck->records, record);
    }
    return accepted;
}

static inline size_t mpsc_push(void *queue, uint32_t who,
                               const unsigned char *records, size_t nr,
                               size_t len)
{
    struct ck *ck = queue;
    size_t accepted = 0;

    (void)who;
    for (size_t i = 0; i < nr; i++) {
        void *record = (void *)(uintptr_t)(records + i * len);

        accepted +=
            len == QUEUE_SMALL
                ? ck_ring_enqueue_mpsc_small(&ck->ring, ck->records, record)
                : ck_ring_enqueue_mpsc_whole(&ck->ring, ck->records, record);
    }
    return accepted;
}

static inline size_t ck_pull(void *queue, unsigned char *records, size_t nr,
                             size_t len)
{
    struct ck *ck = queue;
    size_t taken = 0;

    while (taken < nr) {
        void *record = records + taken * len;
        bool got =
            len == QUEUE_SMALL
                ? ck_ring_dequeue_spsc_small(&ck->ring, ck->records, record)
                : ck_ring_dequeue_spsc_whole(&ck->ring, ck->records, record);

        if (!got)
            break;
        taken++;
    }
    return taken;
}

static const struct queue_ops ck_spsc_ops = {
    .make = ck_make,
    .end = ck_end,
    .push = spsc_push,
    .pull = ck_pull,
};
QUEUE_CONTESTANT(ck_spsc);

static const struct queue_ops ck_mpsc_ops = {
    .make = ck_make,
    .end = ck_end,
    .push = mpsc_push,
    .pull = ck_pull,
    .stalls = true,
};
QUEUE_CONTESTANT(ck_mpsc);

static const struct bench_case cases[] = {
    QUEUE_THREADS("ck_ring", "spsc", 0, ck_spsc),
    QUEUE_PROCESSES("ck_ring", "spsc", 0, ck_spsc),
    QUEUE_PRODUCERS("ck_ring", "mpsc", 0, ck_mpsc),
};

const struct bench_table peer_ck_cases = {cases,
                                          sizeof(cases) / sizeof(cases[0])};
