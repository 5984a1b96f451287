/* SPDX-License-Identifier: MIT */
/*
 * async_limits.c: what the machine allows: a ring that does nothing but copy
 * in and out, a slot that is handed to and fro, and memcpy.
 */
#include "queue.h"
#include "tables.h"

#include "core/atomic.h"

#define LINE 128

/* Indices run freely; each side keeps what it last saw of the other's. */
struct naive {
    struct {
        xen_vm_ring_u64 head;
        uint64_t tail_seen;
    } producer __attribute__((__aligned__(LINE)));
    struct {
        xen_vm_ring_u64 tail;
        uint64_t head_seen;
    } consumer __attribute__((__aligned__(LINE)));
    uint64_t slots;
    size_t stride;
    unsigned char records[] __attribute__((__aligned__(LINE)));
};

static uint64_t power_of_two(uint64_t v)
{
    uint64_t p = 1;

    while (p * 2 <= v)
        p *= 2;
    return p;
}

static void *naive_make(const struct queue_plan *plan,
                        struct bench_sample *sample)
{
    struct naive *naive = bench_map(sizeof(*naive) + QUEUE_BYTES);

    if (!naive) {
        (void)bench_skip(sample, "no memory");
        return NULL;
    }
    naive->stride = (plan->len + 63) / 64 * 64;
    naive->slots = power_of_two(QUEUE_BYTES / naive->stride);
    return naive;
}

static void naive_end(void *queue)
{
    bench_unmap(queue, sizeof(struct naive) + QUEUE_BYTES);
}

static inline size_t naive_push(void *queue, uint32_t who,
                                const unsigned char *records, size_t nr,
                                size_t len)
{
    struct naive *naive = queue;
    size_t stride = (len + 63) / 64 * 64;
    uint64_t head = naive->producer.head;

    (void)who;
    if (naive->slots - (head - naive->producer.tail_seen) < nr) {
        /* Pairs with the release in naive_pull(). */
        naive->producer.tail_seen = vmr_load_acquire(&naive->consumer.tail);
        if (naive->slots - (head - naive->producer.tail_seen) < nr)
            nr = naive->slots - (head - naive->producer.tail_seen);
    }
    for (size_t i = 0; i < nr; i++)
        memcpy(naive->records + (head + i) % naive->slots * stride,
               records + i * len, len);
    /* Pairs with the acquire in naive_pull(). */
    if (nr)
        vmr_store_release(&naive->producer.head, head + nr);
    return nr;
}

static inline size_t naive_pull(void *queue, unsigned char *records, size_t nr,
                                size_t len)
{
    struct naive *naive = queue;
    size_t stride = (len + 63) / 64 * 64;
    uint64_t tail = naive->consumer.tail;

    if (naive->consumer.head_seen - tail < nr) {
        /* Pairs with the release in naive_push(). */
        naive->consumer.head_seen = vmr_load_acquire(&naive->producer.head);
        if (naive->consumer.head_seen - tail < nr)
            nr = naive->consumer.head_seen - tail;
    }
    for (size_t i = 0; i < nr; i++)
        memcpy(records + i * len,
               naive->records + (tail + i) % naive->slots * stride, len);
    /* Pairs with the acquire in naive_push(). */
    if (nr)
        vmr_store_release(&naive->consumer.tail, tail + nr);
    return nr;
}

static const struct queue_ops naive_ops = {
    .make = naive_make,
    .end = naive_end,
    .push = naive_push,
    .pull = naive_pull,
};
QUEUE_CONTESTANT(naive);

/* The same, but that head is stored with every record, as a ledger needs. */
static inline size_t each_push(void *queue, uint32_t who,
                               const unsigned char *records, size_t nr,
                               size_t len)
{
    size_t accepted = 0;

    for (size_t i = 0; i < nr; i++)
        accepted += naive_push(queue, who, records + i * len, 1, len);
    return accepted;
}

static const struct queue_ops each_ops = {
    .make = naive_make,
    .end = naive_end,
    .push = each_push,
    .pull = naive_pull,
};
QUEUE_CONTESTANT(each);

/* One slot and the word that says whose it is: a ring of one record. */
struct handoff {
    xen_vm_ring_u64 full;
    unsigned char record[512] __attribute__((__aligned__(64)));
};

static void *handoff_make(const struct queue_plan *plan,
                          struct bench_sample *sample)
{
    struct handoff *handoff = bench_map(sizeof(*handoff));

    (void)plan;
    if (!handoff)
        (void)bench_skip(sample, "no memory");
    return handoff;
}

static void handoff_end(void *queue)
{
    bench_unmap(queue, sizeof(struct handoff));
}

static inline size_t handoff_push(void *queue, uint32_t who,
                                  const unsigned char *records, size_t nr,
                                  size_t len)
{
    struct handoff *handoff = queue;

    (void)who;
    for (size_t i = 0; i < nr; i++) {
        /* Pairs with the release in handoff_pull(). */
        while (vmr_load_acquire(&handoff->full))
            bench_relax();
        memcpy(handoff->record, records + i * len, len);
        /* Pairs with the acquire in handoff_pull(). */
        vmr_store_release(&handoff->full, 1);
    }
    return nr;
}

static inline size_t handoff_pull(void *queue, unsigned char *records,
                                  size_t nr, size_t len)
{
    struct handoff *handoff = queue;

    (void)nr;
    /* Pairs with the release in handoff_push(). */
    if (!vmr_load_acquire(&handoff->full))
        return 0;
    memcpy(records, handoff->record, len);
    /* Pairs with the acquire in handoff_push(). */
    vmr_store_release(&handoff->full, 0);
    return 1;
}

static const struct queue_ops handoff_ops = {
    .make = handoff_make,
    .end = handoff_end,
    .push = handoff_push,
    .pull = handoff_pull,
};
QUEUE_CONTESTANT(handoff);

/* In and out of a ring's bytes by one thread: no other side at all. */
static enum bench_result run_memcpy(const struct bench_case *self,
                                    const struct bench_env *env,
                                    struct bench_sample *sample)
{
    unsigned char *ring = bench_map(QUEUE_BYTES), record[QUEUE_WHOLE];
    uint64_t began, now, nr = 0;

    if (!ring)
        return bench_skip(sample, "no memory");
    memset(record, 0x5a, sizeof(record));
    began = bench_now();
    do {
        for (size_t at = 0; at + self->len <= QUEUE_BYTES; at += self->len) {
            memcpy(ring + at, record, self->len);
            __asm__ volatile("" ::: "memory");
            memcpy(record, ring + at, self->len);
            __asm__ volatile("" : : "r"(record) : "memory");
            nr++;
        }
        now = bench_now();
    } while (now - began < env->run_ns);
    bench_unmap(ring, QUEUE_BYTES);
    sample->value = (double)nr * 1e9 / (double)(now - began);
    return BENCH_OK;
}

#define MEMCPY(group, len)                                                     \
    {                                                                          \
        group, "memcpy", "records/s",                                          \
            "limit: copied in and out by one thread, nobody else", run_memcpy, \
            0, len, 1, 1, false, NULL                                          \
    }

static const struct bench_case cases[] = {
    QUEUE_THREADS("naive SPSC",
                  "limit: a ring that only copies in and out, cached indices",
                  BENCH_REFERENCE, naive),
    QUEUE_PROCESSES("naive SPSC",
                    "limit: a ring that only copies in and out, cached indices",
                    BENCH_REFERENCE, naive),
    QUEUE_CASE("async-64-32", "naive, head each record",
               "limit: the same, head is stored with every record", 0, 64, 32,
               1, false, each),
    QUEUE_CASE("async-408-32", "naive, head each record",
               "limit: the same, head is stored with every record", 0, 408, 32,
               1, false, each),
    QUEUE_THREADS("hand-off", "limit: one slot, handed to and fro", 0, handoff),
    MEMCPY("async-64-1", 64),
    MEMCPY("async-64-32", 64),
    MEMCPY("async-408-1", 408),
    MEMCPY("async-408-32", 408),
};

const struct bench_table async_limits_cases = {cases, sizeof(cases) /
                                                          sizeof(cases[0])};
