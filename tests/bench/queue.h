/* SPDX-License-Identifier: MIT */
/*
 * queue.h: one contest for everything that carries records one way.
 *
 * Producers offer records as fast as they can for the time of a run; what is
 * refused is dropped.  The consumer takes records into memory of its own and
 * looks at each.  What counts is records delivered by the time.  The loops
 * are compiled into each contestant's own functions, with the length of a
 * record as a constant, so that nobody pays for the table behind which the
 * contestants are alike.
 */
#ifndef VMRING_BENCH_QUEUE_H
#define VMRING_BENCH_QUEUE_H

#include <string.h>

#include "bench.h"
#include "worker.h"

#ifdef __cplusplus
extern "C" {
#endif

#define QUEUE_MAX_BATCH     32
#define QUEUE_MAX_PRODUCERS 16

/* A record: an event, without and with registers. */
#define QUEUE_SMALL 64
#define QUEUE_WHOLE 408

/* Records lie in this many bytes, whoever holds them. */
#define QUEUE_BYTES (128 * 1024)

/* A record's number is at 32 and once more at its end. */
#define QUEUE_NUMBER_AT 32

struct queue_plan {
    uint32_t len, batch, producers;
    bool processes;
};

struct queue_ops {
    /* NULL: not to be had; then it has called bench_skip(). */
    void *(*make)(const struct queue_plan *plan, struct bench_sample *sample);
    void (*end)(void *queue);
    /* Offers nr records of len bytes; how many were accepted. */
    size_t (*push)(void *queue, uint32_t who, const unsigned char *records,
                   size_t nr, size_t len);
    /* Takes nr at most. */
    size_t (*pull)(void *queue, unsigned char *records, size_t nr, size_t len);
    /* Records that were accepted and lost later; NULL: there are none. */
    uint64_t (*overwritten)(void *queue);
    /*
     * It overwrites, and cannot tell how many.  Should it hand out a record
     * that is torn, it is out of the contest.
     */
    bool loses_count;
    /*
     * Its push of many is as many pushes, each of which may wait until other
     * producers have run.  Of several producers each then looks at the clock
     * before each record, or a run would take as many times longer as a batch
     * has records.
     */
    bool stalls;
};

/* One producer's own line. */
struct queue_producer {
    uint64_t began, ended, attempted, accepted;
    uint64_t pad[12];
};

/* A run, shared by its sides. */
struct queue_run {
    void *queue;
    struct queue_plan plan;
    uint64_t run_ns;
    uint32_t pad[16];
    struct bench_barrier start;
    uint32_t pad2[16];
    struct queue_producer producers[QUEUE_MAX_PRODUCERS];
    uint32_t nr_done; /* producers that have ended */
    uint32_t pad3[31];
    uint64_t delivered, ended;
    uint64_t wrong; /* records torn, repeated or out of order */
};

struct queue_side {
    struct queue_run *run;
    uint32_t who;
};

typedef void queue_worker(void *side);

/* The producer of side `who`, and the consumer. */
struct queue_contestant {
    const struct queue_ops *ops;
    queue_worker *produce, *consume;
};

/* What `run` of a case calls that has a struct queue_contestant as its arg. */
enum bench_result queue_contest(const struct bench_case *self,
                                const struct bench_env *env,
                                struct bench_sample *sample);

/* An event's bytes that the numbers are put into. */
void queue_fill(unsigned char *records, size_t nr, size_t len);

#define QUEUE_INLINE static inline __attribute__((__always_inline__))

QUEUE_INLINE void queue_number(unsigned char *record, size_t len, uint64_t nr)
{
    memcpy(record + QUEUE_NUMBER_AT, &nr, sizeof(nr));
    memcpy(record + len - sizeof(nr), &nr, sizeof(nr));
}

QUEUE_INLINE void queue_produce(struct queue_side *side,
                                const struct queue_ops *ops, size_t len)
{
    struct queue_run *run = side->run;
    struct queue_producer *mine = &run->producers[side->who];
    unsigned char records[QUEUE_MAX_BATCH * QUEUE_WHOLE]
        __attribute__((__aligned__(64)));
    size_t batch = run->plan.batch;
    /* Between two looks at the clock; of many each may wait for others. */
    size_t rounds = run->plan.producers == 1 ? 128 / batch : 1;
    size_t step = ops->stalls && run->plan.producers > 1 ? 1 : batch;
    uint64_t number = (uint64_t)side->who << 48, first = number;
    uint64_t accepted = 0, until;

    queue_fill(records, batch, len);
    bench_meet(&run->start);
    mine->began = bench_now();
    until = mine->began + run->run_ns;
    do {
        for (size_t round = 0; round < rounds; round++) {
            for (size_t i = 0; i < step; i++)
                queue_number(records + i * len, len, ++number);
            accepted += ops->push(run->queue, side->who, records, step, len);
        }
    } while (bench_now() < until);
    mine->ended = bench_now();
    mine->attempted = number - first;
    mine->accepted = accepted;
    __atomic_add_fetch(&run->nr_done, 1, __ATOMIC_RELEASE);
}

/* Numbers of each producer may only grow. */
QUEUE_INLINE bool queue_is_right(const unsigned char *record, size_t len,
                                 uint64_t *last)
{
    uint64_t number, again, who;

    memcpy(&number, record + QUEUE_NUMBER_AT, sizeof(number));
    memcpy(&again, record + len - sizeof(again), sizeof(again));
    who = number >> 48;
    if (number != again || who >= QUEUE_MAX_PRODUCERS || number <= last[who])
        return false;
    last[who] = number;
    return true;
}

/*
 * A consumer that got less than it asked for lets a little more come, rather
 * than fight with the producer for the lines that it is writing.  How many
 * pauses to make next time.
 */
QUEUE_INLINE unsigned queue_rest(unsigned pauses)
{
    for (unsigned i = 0; i < pauses; i++)
        bench_relax();
    return pauses < 16 ? 2 * pauses : pauses;
}

QUEUE_INLINE void queue_consume(struct queue_side *side,
                                const struct queue_ops *ops, size_t len)
{
    struct queue_run *run = side->run;
    unsigned char records[QUEUE_MAX_BATCH * QUEUE_WHOLE]
        __attribute__((__aligned__(64)));
    size_t batch = run->plan.batch;
    uint64_t last[QUEUE_MAX_PRODUCERS] = {0}, delivered = 0, wrong = 0;
    unsigned pauses = 1;
    bool done = false;

    bench_meet(&run->start);
    for (;;) {
        size_t nr = ops->pull(run->queue, records, batch, len);

        for (size_t i = 0; i < nr; i++)
            wrong += !queue_is_right(records + i * len, len, last);
        delivered += nr;
        if (nr == batch) {
            pauses = (pauses + 1) / 2;
            continue;
        }
        pauses = queue_rest(pauses);
        if (nr)
            continue;
        if (done)
            break;
        /* Only what is not there after the last has ended never comes. */
        done = __atomic_load_n(&run->nr_done, __ATOMIC_ACQUIRE) ==
               run->plan.producers;
    }
    run->ended = bench_now();
    run->delivered = delivered;
    run->wrong = wrong;
}

/* The contestant `name`, of a static const struct queue_ops `name_ops`. */
#define QUEUE_CONTESTANT(name)                                                 \
    static void name##_produce(void *side)                                     \
    {                                                                          \
        struct queue_side *mine = (struct queue_side *)side;                   \
                                                                               \
        if (mine->run->plan.len == QUEUE_SMALL)                                \
            queue_produce(mine, &name##_ops, QUEUE_SMALL);                     \
        else                                                                   \
            queue_produce(mine, &name##_ops, QUEUE_WHOLE);                     \
    }                                                                          \
    static void name##_consume(void *side)                                     \
    {                                                                          \
        struct queue_side *mine = (struct queue_side *)side;                   \
                                                                               \
        if (mine->run->plan.len == QUEUE_SMALL)                                \
            queue_consume(mine, &name##_ops, QUEUE_SMALL);                     \
        else                                                                   \
            queue_consume(mine, &name##_ops, QUEUE_WHOLE);                     \
    }                                                                          \
    static const struct queue_contestant name = {&name##_ops, name##_produce,  \
                                                 name##_consume}

/* A case: "async-LEN-BATCH", one producer and one consumer. */
#define QUEUE_CASE(group, label, what, flags, len, batch, nr, procs, queue)    \
    {                                                                          \
        group, label, "records/s", what, queue_contest, flags, len, batch, nr, \
            procs, &(queue)                                                    \
    }

/* One producer's thread and one consumer's, all records and batches. */
#define QUEUE_THREADS(label, what, flags, queue)                               \
    QUEUE_CASE("async-64-1", label, what, flags, 64, 1, 1, false, queue),      \
        QUEUE_CASE("async-64-32", label, what, flags, 64, 32, 1, false,        \
                   queue),                                                     \
        QUEUE_CASE("async-408-1", label, what, flags, 408, 1, 1, false,        \
                   queue),                                                     \
        QUEUE_CASE("async-408-32", label, what, flags, 408, 32, 1, false,      \
                   queue)

/* The same between two processes. */
#define QUEUE_PROCESSES(label, what, flags, queue)                             \
    QUEUE_CASE("async-processes-64-1", label, what, flags, 64, 1, 1, true,     \
               queue),                                                         \
        QUEUE_CASE("async-processes-64-32", label, what, flags, 64, 32, 1,     \
                   true, queue),                                               \
        QUEUE_CASE("async-processes-408-1", label, what, flags, 408, 1, 1,     \
                   true, queue),                                               \
        QUEUE_CASE("async-processes-408-32", label, what, flags, 408, 32, 1,   \
                   true, queue)

/* Several producers that share CPUs, single records. */
#define QUEUE_PRODUCERS(label, what, flags, queue)                             \
    QUEUE_CASE("producers-1", label, what, flags, 64, 32, 1, false, queue),    \
        QUEUE_CASE("producers-2", label, what, flags, 64, 32, 2, false,        \
                   queue),                                                     \
        QUEUE_CASE("producers-4", label, what, flags, 64, 32, 4, false,        \
                   queue),                                                     \
        QUEUE_CASE("producers-8", label, what, flags, 64, 32, 8, false,        \
                   queue),                                                     \
        QUEUE_CASE("producers-16", label, what, flags, 64, 32, 16, false,      \
                   queue)

#ifdef __cplusplus
}
#endif

#endif /* VMRING_BENCH_QUEUE_H */
