/* SPDX-License-Identifier: MIT */
/*
 * peer_qb.c: libqb's ring buffer, without its semaphore.  It has one writer,
 * so several take a mutex.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include <qb/qbrb.h>

#include "queue.h"
#include "tables.h"

struct qb {
    qb_ringbuffer_t *ring;
    pthread_mutex_t mutex;
    bool shared;
};

static void qb_end(void *queue)
{
    struct qb *qb = queue;

    qb_rb_close(qb->ring);
    free(qb);
}

static void *qb_make(const struct queue_plan *plan, struct bench_sample *sample,
                     uint32_t flags)
{
    struct qb *qb = calloc(1, sizeof(*qb));
    char name[64];

    if (!qb)
        return NULL;
    snprintf(name, sizeof(name), "vmring-bench-%d", (int)getpid());
    qb->ring =
        qb_rb_open(name, QUEUE_BYTES,
                   QB_RB_FLAG_CREATE | QB_RB_FLAG_NO_SEMAPHORE | flags, 0);
    if (!qb->ring) {
        (void)bench_skip(sample, "qb_rb_open has failed");
        free(qb);
        return NULL;
    }
    pthread_mutex_init(&qb->mutex, NULL);
    qb->shared = plan->producers > 1;
    return qb;
}

static void *plain_make(const struct queue_plan *plan,
                        struct bench_sample *sample)
{
    return qb_make(plan, sample, 0);
}

static void *over_make(const struct queue_plan *plan,
                       struct bench_sample *sample)
{
    return qb_make(plan, sample, QB_RB_FLAG_OVERWRITE);
}

static size_t qb_push(void *queue, uint32_t who, const unsigned char *records,
                      size_t nr, size_t len)
{
    struct qb *qb = queue;
    size_t accepted = 0;

    (void)who;
    for (size_t i = 0; i < nr; i++) {
        if (qb->shared)
            pthread_mutex_lock(&qb->mutex);
        accepted +=
            qb_rb_chunk_write(qb->ring, records + i * len, len) == (ssize_t)len;
        if (qb->shared)
            pthread_mutex_unlock(&qb->mutex);
    }
    return accepted;
}

static size_t qb_pull(void *queue, unsigned char *records, size_t nr,
                      size_t len)
{
    struct qb *qb = queue;
    size_t taken = 0;

    while (taken < nr && qb_rb_chunk_read(qb->ring, records + taken * len, len,
                                          0) == (ssize_t)len)
        taken++;
    return taken;
}

static const struct queue_ops qb_plain_ops = {
    .make = plain_make,
    .end = qb_end,
    .push = qb_push,
    .pull = qb_pull,
};
QUEUE_CONTESTANT(qb_plain);

static const struct queue_ops qb_over_ops = {
    .make = over_make,
    .end = qb_end,
    .push = qb_push,
    .pull = qb_pull,
    .loses_count = true,
};
QUEUE_CONTESTANT(qb_over);

#define PLAIN "no semaphore; a full ring takes no more"
#define OVER  "no semaphore, QB_RB_FLAG_OVERWRITE"

static const struct bench_case cases[] = {
    QUEUE_THREADS("libqb", PLAIN, 0, qb_plain),
    QUEUE_THREADS("libqb overwrite", OVER, 0, qb_over),
    QUEUE_PRODUCERS("libqb, mutex", PLAIN, 0, qb_plain),
};

const struct bench_table peer_qb_cases = {cases,
                                          sizeof(cases) / sizeof(cases[0])};
