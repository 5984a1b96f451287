/* SPDX-License-Identifier: MIT */
/*
 * Description: a request past its deadline is overdue once where the target
 * is to be paused, and then has its verdict; the wait for it is told.
 */
#include "pair.h"

#include <unistd.h>

static struct pair pair;
static unsigned int drained;

static void drain(void *ctx, const struct vmring_verdict *verdict)
{
    CHECK_EQ(verdict->by, VMRING_BY_DETACH);
    CHECK(ctx == &drained);
    drained++;
}

static void post(uint64_t cookie)
{
    struct xen_vm_ring_event event = pair_event(XEN_VM_RING_REASON_CPUID, 1);

    CHECK_EQ(vmring_producer_post(pair.producer, &event, cookie), 0);
}

static void collects(struct vmring_verdict *verdict)
{
    while (vmring_producer_collect(pair.producer, verdict) != 1)
        usleep(100);
}

/* A target that pauses waits for the answer, however late. */
static void overdue_once(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct xen_vm_ring_response response;
    struct vmring_verdict verdict;
    struct vmring_event event;

    opts.deadline_ns = 1000000;
    opts.on_deadline = VMRING_DEADLINE_PAUSE;
    pair_make(&pair, &opts);
    pair_attach(&pair, NULL);
    CHECK_EQ(vmring_producer_timeout(pair.producer), -1);
    post(1);
    vmring_producer_flush(pair.producer);
    CHECK_EQ(vmring_next(pair.ring, &event), 1);
    collects(&verdict);
    CHECK_EQ(verdict.by, VMRING_OVERDUE);
    CHECK_EQ(verdict.was_overdue, 0);
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 0);
    CHECK_EQ(vmring_producer_pending(pair.producer), 1);
    vmring_neutral(&event, &response);
    CHECK_EQ(vmring_respond(pair.ring, &event, &response), 0);
    vmring_flush(pair.ring);
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 1);
    CHECK_EQ(verdict.by, VMRING_BY_CONSUMER);
    CHECK_EQ(verdict.was_overdue, 1);
    CHECK_EQ(verdict.cookie, 1);
    CHECK_EQ(vmring_producer_timeout(pair.producer), -1);
    pair_end(&pair);
}

/* More than poll() should be asked for at once. */
static void far_deadline(void)
{
    struct vmring_producer_opts opts = pair_opts();
    int fd;

    opts.deadline_ns = 7200ULL * 1000000000;
    opts.on_deadline = VMRING_DEADLINE_NEUTRAL;
    pair_make(&pair, &opts);
    post(2);
    fd = pair_connect(&pair);
    CHECK_EQ(vmring_producer_timeout(pair.producer), 3600000);
    close(fd);
    pair_end(&pair);
}

/* Requests that overflowed are pending when a consumer comes. */
static void no_deadline(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct vmring_producer_stats stats = {.size = sizeof(stats)};
    struct vmring_count *rows;
    struct vmring_event event;
    int fd;

    opts.deadline_ns = UINT64_MAX;
    pair_make(&pair, &opts);
    fd = pair_connect(&pair);
    post(3);
    CHECK_EQ(vmring_producer_timeout(pair.producer), -1);
    close(fd);
    for (uint64_t i = 0; i < 9; i++)
        post(i);
    pair_attach(&pair, NULL);
    CHECK_EQ(vmring_next(pair.ring, &event), 1);
    CHECK_EQ(vmring_producer_timeout(pair.producer), -1);
    CHECK_EQ(vmring_producer_counts(pair.producer, &rows), 1);
    CHECK_EQ(rows[0].requests, 10);
    free(rows);
    CHECK_EQ(vmring_producer_get_stats(pair.producer, &stats), 0);
    vmring_close(pair.ring);
    vmring_producer_close(pair.producer, drain, &drained);
    CHECK_EQ(drained, 10 - stats.by_overflow);
}

int main(void)
{
    overdue_once();
    far_deadline();
    no_deadline();
    return 0;
}
