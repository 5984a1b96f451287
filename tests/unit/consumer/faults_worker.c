/* SPDX-License-Identifier: MIT */
/*
 * Description: a worker that cannot be opened leaves the ring as it was; one
 * whose doorbell cannot be taken back leaves a ring that says it is lost.
 */
#include "pair.h"

#include <errno.h>
#include <poll.h>

static struct pair pair;
static struct vmring_worker *worker;
static struct vmring_event event;

static void attach(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct vmring_opts ours = {.size = sizeof(ours), .nr_groups = 2};

    pair_make(&pair, &opts);
    pair_attach(&pair, &ours);
    CHECK_EQ(vmring_next(pair.ring, &event), 0);
    worker = NULL;
}

static int open_it(void)
{
    return vmring_worker_open(pair.ring, 1, &worker);
}

/* Its group's record is the ring's, unless there is a worker. */
static void use(void)
{
    struct xen_vm_ring_event record = pair_event(XEN_VM_RING_REASON_VMEXIT, 1);
    struct pollfd pfd = {.events = POLLIN};

    if (worker)
        CHECK_EQ(vmring_worker_next(worker, &event), 0);
    else
        CHECK_EQ(vmring_next(pair.ring, &event), 0);
    CHECK_EQ(vmring_producer_push(pair.producer, 1, &record), 1);
    vmring_producer_flush(pair.producer);
    pfd.fd = worker ? vmring_worker_fd(worker) : vmring_fd(pair.ring);
    CHECK_EQ(poll(&pfd, 1, 0), 1);
    CHECK_EQ(worker ? vmring_worker_next(worker, &event)
                    : vmring_next(pair.ring, &event),
             1);
    pair_end(&pair);
}

static void attach_and_open(void)
{
    attach();
    CHECK_EQ(open_it(), 0);
}

static int close_it(void)
{
    vmring_worker_close(worker);
    return vmring_next(pair.ring, &event);
}

static void end(void)
{
    pair_end(&pair);
}

int main(void)
{
    static const struct expectation lost[] = {
        {"epoll_ctl", -ECONNRESET}, {"write", 0}, {"read", 0}, {"recv", 0},
        {"recvmsg", -ECONNRESET},   {0}};
    struct walk walk = {.prepare = attach, .op = open_it, .settle = use};

    CHECK(faults_walk(&walk) >= 6);
    walk = (struct walk){.prepare = attach_and_open,
                         .op = close_it,
                         .settle = end,
                         .expect = lost};
    CHECK(faults_walk(&walk) >= 3);
    return 0;
}
