/* SPDX-License-Identifier: MIT */
/*
 * Description: a worker has the events of its group and no others, and the
 * ring those of the other groups and of the epoch before; each is woken by its
 * own doorbell and answers what it was handed; all of it is in the counts.
 */
#include <errno.h>

#include "workers.h"

static void opened_and_closed(void)
{
    struct vmring_worker *again;

    begin();
    CHECK_EQ(vmring_worker_open(pair.ring, GROUPS, &again), -EINVAL);
    CHECK_EQ(vmring_worker_open(pair.ring, 1, &workers[1]), 0);
    CHECK_EQ(vmring_worker_open(pair.ring, 1, &again), -EBUSY);
    for (uint32_t v = 0; v < VCPUS; v++)
        push(v);
    vmring_producer_flush(pair.producer);
    for (uint32_t v = 0; v < VCPUS; v += 2) {
        CHECK_EQ(ring_next(), 1);
        CHECK_EQ(event.lane, v);
    }
    CHECK_EQ(ring_next(), 0);
    CHECK_EQ(next(1), 1);
    CHECK_EQ(event.lane, 1);
    /* What it has not taken is the ring's again, as is what comes. */
    vmring_worker_close(workers[1]);
    CHECK(ring_is_woken());
    CHECK_EQ(ring_next(), 1);
    CHECK_EQ(event.lane, 3);
    CHECK_EQ(ring_next(), 0);
    CHECK(!ring_is_woken());
    push(1);
    vmring_producer_flush(pair.producer);
    CHECK(ring_is_woken());
    CHECK_EQ(ring_next(), 1);
    CHECK_EQ(event.lane, 1);
    vmring_worker_close(NULL);
    open_workers();
    pair_end(&pair); /* with them */
}

/* Doorbells, answers: each its own. */
static void apart(void)
{
    struct xen_vm_ring_response response;
    struct vmring_verdict verdict;

    begin();
    open_workers();
    all_sleep();
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 0);
    post(1);
    vmring_producer_flush(pair.producer);
    CHECK_EQ(ring_next(), 0);
    CHECK(is_woken(1) && !is_woken(0) && !ring_is_woken());
    CHECK_EQ(next(0), 0);
    CHECK_EQ(next(1), 1);
    CHECK_EQ(event.rec.vcpu, 1);
    vmring_neutral(&event, &response);
    /* Whoever was handed it answers it. */
    CHECK_EQ(vmring_worker_respond(workers[0], &event, &response), -EINVAL);
    CHECK_EQ(vmring_respond(pair.ring, &event, &response), -EINVAL);
    CHECK_EQ(vmring_worker_respond(workers[1], &event, &response), 0);
    CHECK(!is_readable(vmring_producer_fd(pair.producer)));
    vmring_flush(pair.ring);
    vmring_worker_flush(workers[0]);
    CHECK(!is_readable(vmring_producer_fd(pair.producer)));
    vmring_worker_flush(workers[1]);
    CHECK(is_readable(vmring_producer_fd(pair.producer)));
    CHECK_EQ(vmring_producer_dispatch(pair.producer), 0);
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 1);
    CHECK_EQ(verdict.by, VMRING_BY_CONSUMER);
    pair_end(&pair);
}

/* As many as there can be. */
static void most_groups(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct vmring_opts ours = {.size = sizeof(ours),
                               .nr_groups = XEN_VM_RING_MAX_GROUPS};

    opts.nr_vcpus = XEN_VM_RING_MAX_GROUPS;
    opts.max_async_len = 1 << 20;
    pair_make(&pair, &opts);
    pair_attach(&pair, &ours);
    for (uint32_t g = 0; g < XEN_VM_RING_MAX_GROUPS; g++) {
        CHECK_EQ(vmring_worker_open(pair.ring, g, &workers[g]), 0);
        push(g);
    }
    vmring_producer_flush(pair.producer);
    for (uint32_t g = 0; g < XEN_VM_RING_MAX_GROUPS; g++) {
        CHECK_EQ(next(g), 1);
        CHECK_EQ(event.lane, g);
        CHECK_EQ(next(g), 0);
    }
    CHECK_EQ(ring_next(), 0);
    pair_end(&pair);
}

/* What the consumer before had not read is the ring's to hand out. */
static void epoch_before(void)
{
    begin();
    for (uint32_t v = 0; v < VCPUS; v++)
        push(v);
    vmring_producer_flush(pair.producer);
    vmring_close(pair.ring);
    pair_serve();
    attach();
    open_workers();
    push(2);
    vmring_producer_flush(pair.producer);
    CHECK_EQ(next(1), 0);
    for (uint32_t v = 0; v < VCPUS; v++) {
        CHECK_EQ(ring_next(), 1);
        CHECK_EQ(event.epoch_mark, 1);
        CHECK_EQ(event.lane, v);
    }
    CHECK_EQ(next(0), 1);
    CHECK_EQ(event.epoch_mark, 0);
    CHECK_EQ(event.lane, 2);
    CHECK_EQ(ring_next(), 0);
    pair_end(&pair);
}

static void check_stats(void)
{
    struct vmring_stats stats = {.size = sizeof(stats)};

    CHECK_EQ(vmring_get_stats(pair.ring, &stats), 0);
    CHECK_EQ(stats.requests, 1);
    CHECK_EQ(stats.records, 3);
    CHECK_EQ(stats.responses, 1);
    CHECK_EQ(stats.doorbells_received, 2);
}

static void counts(void)
{
    struct vmring_lane_count *lanes;
    struct vmring_count *rows;
    struct xen_vm_ring_response response;

    begin();
    open_workers();
    all_sleep();
    post(0);
    for (uint32_t v = 0; v < 3; v++)
        push(v);
    vmring_producer_flush(pair.producer);
    CHECK_EQ(next(0), 1);
    vmring_neutral(&event, &response);
    CHECK_EQ(vmring_worker_respond(workers[0], &event, &response), 0);
    CHECK_EQ(vmring_lane_counts(pair.ring, &lanes), VCPUS);
    CHECK_EQ(lanes[0].pending, 1);
    free(lanes);
    CHECK_EQ(next(0), 1);
    CHECK_EQ(next(1), 1);
    CHECK_EQ(next(0), 1);
    CHECK_EQ(next(0), 0);
    CHECK_EQ(next(1), 0);
    CHECK_EQ(vmring_counts(pair.ring, &rows), 4);
    CHECK_EQ(rows[0].vcpu, 0);
    CHECK_EQ(rows[0].requests_taken + rows[1].requests_taken, 1);
    CHECK_EQ(rows[0].records_taken + rows[1].records_taken, 1);
    CHECK_EQ(rows[3].vcpu, 2);
    CHECK_EQ(rows[3].records_taken, 1);
    free(rows);
    CHECK_EQ(vmring_lane_counts(pair.ring, &lanes), VCPUS);
    for (uint32_t v = 0; v < VCPUS; v++) {
        CHECK_EQ(lanes[v].taken, v < 3);
        CHECK_EQ(lanes[v].pending, 0);
    }
    free(lanes);
    check_stats();
    vmring_worker_close(workers[0]);
    check_stats();
    pair_end(&pair);
}

int main(void)
{
    opened_and_closed();
    apart();
    most_groups();
    epoch_before();
    counts();
    return 0;
}
