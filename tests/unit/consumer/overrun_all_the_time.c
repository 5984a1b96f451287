/* SPDX-License-Identifier: MIT */
/*
 * Description: a lane that is always overrun where its consumer looks does
 * not hold it in one call, and does not let it sleep either; nor a worker.
 */
#include "pair.h"

#include <poll.h>

#include "consumer/ring.h"
#include "producer/handle.h"

#define SLOTS 16384

static struct pair pair;
static struct vmring_worker *worker; /* NULL: the ring itself */

static bool polls_readable(void)
{
    int fd = worker ? vmring_worker_fd(worker) : vmring_fd(pair.ring);
    struct pollfd pfd = {fd, POLLIN, 0};

    return poll(&pfd, 1, 0) == 1;
}

static int next(struct vmring_event *event)
{
    return worker ? vmring_worker_next(worker, event)
                  : vmring_next(pair.ring, event);
}

/* Each slot of lane 1 says that the next round's record is being written. */
static void overwrite(void)
{
    const struct vmr_geometry *geo = &pair.producer->core.geo;
    unsigned char *records =
        (unsigned char *)pair.producer->p.at + geo->record_off + SLOTS * 64;

    CHECK_EQ(geo->nr_records, SLOTS);
    for (uint64_t h = SLOTS; h < 2 * SLOTS - 1; h++)
        ((struct xen_vm_ring_event *)(void *)(records + (h - SLOTS) * 64))
            ->state = 2 * h + 1;
}

static void overrun(bool by_worker)
{
    struct vmring_producer_opts opts = pair_opts();
    struct vmring_opts ours = {
        .size = sizeof(ours),
        .record_len = 64,
        .async_len = 2ULL * SLOTS * 64,
        .loss_policy = XEN_VM_RING_POLICY_OVERWRITE,
    };
    struct vmring_stats stats = {.size = sizeof(stats)};
    struct xen_vm_ring_event raised =
        pair_event(XEN_VM_RING_REASON_MOV_TO_MSR, 1);
    struct vmring_event event;
    unsigned int calls = 0;

    pair_make(&pair, &opts);
    pair_attach(&pair, &ours);
    if (by_worker)
        CHECK_EQ(vmring_worker_open(pair.ring, 0, &worker), 0);
    CHECK_EQ(next(&event), 0);
    CHECK(!polls_readable());

    /* As if all but the last were being overwritten just now. */
    pair.producer->core.lanes[1].head = SLOTS - 1;
    overwrite();
    CHECK_EQ(vmring_producer_push(pair.producer, 1, &raised), 1);
    vmring_producer_flush(pair.producer);
    while (next(&event) == 0) {
        CHECK(polls_readable());
        CHECK(++calls <= SLOTS);
    }
    CHECK(calls >= 1);
    CHECK_EQ(event.position, SLOTS - 1);
    CHECK_EQ(event.lost_before, SLOTS - 1);
    CHECK_EQ(next(&event), 0);
    CHECK(!polls_readable());
    CHECK_EQ(vmring_get_stats(pair.ring, &stats), 0);
    CHECK_EQ(stats.overwritten, SLOTS - 1);
    CHECK_EQ(stats.records, 1);
    pair_end(&pair);
}

int main(void)
{
    overrun(false);
    overrun(true);
    return 0;
}
