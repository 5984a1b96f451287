/* SPDX-License-Identifier: MIT */
/*
 * Description: at any instant of a worker's look the last record comes, and
 * then the end, which the ring's thread tells of: the worker has that record
 * first and the end next, or is woken for them; and so is the ring at last.
 * A producer that breaks the protocol is the same end for all, at once.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "pair.h"

#include "instants.h"

#include "consumer/worker.c"
#include "core/consumer.c"

static struct pair pair;
static struct vmring_worker *worker;
static struct vmring_event event;
static unsigned int instants;
static int end;

static bool is_readable(int fd)
{
    struct pollfd pfd = {fd, POLLIN, 0};

    return poll(&pfd, 1, 0) == 1;
}

static void comes_to_its_end(void)
{
    struct xen_vm_ring_event record = pair_event(XEN_VM_RING_REASON_VMEXIT, 1);
    struct vmring_event none;

    if (instants-- != 0)
        return;
    if (end == -EPROTO) {
        pair.ring->core.groups[0].broken = true;
        CHECK_EQ(vmring_next(pair.ring, &none), -EPROTO);
        return;
    }
    CHECK_EQ(vmring_producer_push(pair.producer, 1, &record), 1);
    if (end == -ENODATA)
        pair_serve();
    if (end == -ESRCH)
        vmring_producer_set_target_state(pair.producer,
                                         XEN_VM_RING_TARGET_SHUTDOWN, 0);
    if (end == -ECONNRESET)
        CHECK_EQ(shutdown(pair.served, SHUT_RDWR), 0);
    CHECK_EQ(vmring_next(pair.ring, &none), 0);
}

/* false: there are fewer instants. */
static bool comes_at(unsigned int nth)
{
    struct vmring_producer_opts opts = pair_opts();
    struct vmring_opts ours = {.size = sizeof(ours), .nr_groups = 2};
    unsigned int taken = 0;
    bool came;
    int ret;

    pair_make(&pair, &opts);
    pair_attach(&pair, &ours);
    CHECK_EQ(vmring_worker_open(pair.ring, 1, &worker), 0);
    CHECK_EQ(vmring_next(pair.ring, &event), 0);
    if (end == -ENODATA)
        CHECK_EQ(vmring_quiesce(pair.ring), 0);
    instants = nth;
    at_instant = comes_to_its_end;
    ret = vmring_worker_next(worker, &event);
    at_instant = NULL;
    came = instants > nth;
    while (came && ret >= 0) {
        taken += ret == 1;
        if (ret == 0)
            CHECK(is_readable(vmring_worker_fd(worker)));
        ret = vmring_worker_next(worker, &event);
    }
    if (came) {
        CHECK_EQ(taken, end != -EPROTO);
        CHECK_EQ(ret, end);
        CHECK(is_readable(vmring_fd(pair.ring)));
        if (end == -ESRCH)
            CHECK_EQ(vmring_next(pair.ring, &event), VMRING_NEXT_TARGET);
        CHECK_EQ(vmring_next(pair.ring, &event), end);
    }
    pair_end(&pair);
    return came;
}

int main(void)
{
    static const int ends[] = {-ENODATA, -ESRCH, -ECONNRESET, -EPROTO};

    for (unsigned int i = 0; i < 4; i++) {
        unsigned int nth = 0;

        end = ends[i];
        while (comes_at(nth))
            nth++;
        CHECK(nth >= 6);
    }
    return 0;
}
