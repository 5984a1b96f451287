/* SPDX-License-Identifier: MIT */
/*
 * Description: workers of a ring in another domain, on a fake Xen: each sleeps
 * on its own event channel, by a handle that no other thread uses; the ring's
 * descriptor has what is left.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>

#include "grant_pair.h"

#define GROUPS 2
#define ROUNDS 800

static struct pair pair;
static struct vmring *ring;
static struct vmring_worker *workers[GROUPS];
static struct vmring_event event;
/* A thread's own, read when it has ended. */
static uint64_t taken[GROUPS];

static void begin(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct vmring_opts ours = {
        .size = sizeof(ours), .nr_groups = GROUPS, .timeout_ms = 5000};

    opts.deadline_ns = UINT64_MAX;
    grant_pair_make(&pair, &opts);
    CHECK_EQ(vmring_producer_dispatch(pair.producer), 0);
    fake_xenstore.domid = MEETING_AGENT;
    CHECK_EQ(vmring_open("grant:0/5", &ours, &ring), 0);
    for (uint32_t g = 0; g < GROUPS; g++)
        CHECK_EQ(vmring_worker_open(ring, g, &workers[g]), 0);
}

static void end(void)
{
    vmring_close(ring);
    for (int i = 0; i < 8; i++)
        pair_serve();
    vmring_producer_close(pair.producer, NULL, NULL);
    faults_idle = NULL;
    fake_xenstore_check_empty(MEETING_ABOVE);
    fake_xen_check_empty();
}

static bool is_readable(int fd)
{
    struct pollfd pfd = {.fd = fd, .events = POLLIN};

    return poll(&pfd, 1, 0) == 1;
}

static void raise_in(uint32_t vcpu)
{
    struct xen_vm_ring_event record =
        pair_event(XEN_VM_RING_REASON_VMEXIT, vcpu);

    CHECK_EQ(vmring_producer_push(pair.producer, vcpu, &record), 1);
    vmring_producer_flush(pair.producer);
}

/* Of a doorbell that rings, whose descriptor is readable. */
static void apart(void)
{
    begin();
    for (uint32_t g = 0; g < GROUPS; g++)
        CHECK_EQ(vmring_worker_next(workers[g], &event), 0);
    CHECK_EQ(vmring_next(ring, &event), 0);
    for (uint32_t g = 0; g < GROUPS; g++) {
        raise_in(g);
        CHECK_EQ(vmring_next(ring, &event), 0);
        CHECK(is_readable(vmring_worker_fd(workers[g])));
        CHECK(!is_readable(vmring_worker_fd(workers[!g])));
        CHECK(!is_readable(vmring_fd(ring)));
        CHECK_EQ(vmring_worker_next(workers[g], &event), 1);
        CHECK_EQ(vmring_worker_next(workers[g], &event), 0);
        CHECK(!is_readable(vmring_worker_fd(workers[g])));
    }
    vmring_worker_close(workers[1]);
    CHECK_EQ(vmring_next(ring, &event), 0);
    raise_in(1);
    CHECK(is_readable(vmring_fd(ring)));
    CHECK_EQ(vmring_next(ring, &event), 1);
    CHECK_EQ(vmring_next(ring, &event), 0);
    CHECK(!is_readable(vmring_fd(ring)));
    end();
}

/*
 * One that is killed says nothing in xenstore: the kernel rings the first
 * doorbell, which is a worker's, and the ring has no descriptor for it.
 */
static void bridge_dies(void)
{
    begin();
    fake_xenstore_lose(true);
    for (uint32_t g = 0; g < GROUPS; g++)
        CHECK_EQ(vmring_worker_next(workers[g], &event), 0);
    CHECK_EQ(vmring_next(ring, &event), 0);
    CHECK(!is_readable(vmring_fd(ring)));
    raise_in(1);
    vmring_producer_close(pair.producer, NULL, NULL);
    faults_idle = NULL;
    CHECK(is_readable(vmring_worker_fd(workers[0])));
    CHECK_EQ(vmring_worker_next(workers[0], &event), 0);
    CHECK(is_readable(vmring_fd(ring)));
    CHECK_EQ(vmring_next(ring, &event), 0);
    CHECK_EQ(vmring_worker_next(workers[0], &event), -ECONNRESET);
    CHECK_EQ(vmring_worker_next(workers[1], &event), 1);
    CHECK_EQ(vmring_worker_next(workers[1], &event), -ECONNRESET);
    CHECK(is_readable(vmring_fd(ring)));
    CHECK_EQ(vmring_next(ring, &event), -ECONNRESET);
    fake_xenstore_lose(false);
    vmring_close(ring);
    /* What it could not remove the next one does. */
    begin();
    end();
}

static void *work(void *arg)
{
    struct vmring_worker *worker = arg;
    uint32_t group = worker == workers[1];
    struct vmring_event got;
    int ret;

    while ((ret = vmring_worker_next(worker, &got)) >= 0) {
        struct pollfd pfd = {vmring_worker_fd(worker), POLLIN, 0};
        struct xen_vm_ring_response response;

        if (ret == 0) {
            (void)poll(&pfd, 1, -1);
            continue;
        }
        CHECK_EQ(got.rec.vcpu, group);
        taken[group]++;
        if (!got.seq)
            continue;
        vmring_neutral(&got, &response);
        CHECK_EQ(vmring_worker_respond(worker, &got, &response), 0);
        vmring_worker_flush(worker);
    }
    CHECK_EQ(ret, -ENODATA);
    return NULL;
}

/*
 * Requests come before records: a worker that is kept busy by them may leave
 * its lane full for a while.
 */
static void raise_until_there_is_room(uint32_t vcpu)
{
    struct xen_vm_ring_event record =
        pair_event(XEN_VM_RING_REASON_VMEXIT, vcpu);

    while (vmring_producer_push(pair.producer, vcpu, &record) == 0) {
        vmring_producer_flush(pair.producer);
        sched_yield();
    }
    vmring_producer_flush(pair.producer);
}

/* Both vCPUs wait for a verdict, which comes by way of another channel each. */
static void ask_both(void)
{
    struct pollfd pfd = {vmring_producer_fd(pair.producer), POLLIN, 0};
    struct vmring_verdict verdict;
    unsigned int left = GROUPS;

    for (uint32_t v = 0; v < GROUPS; v++) {
        struct xen_vm_ring_event request =
            pair_event(XEN_VM_RING_REASON_CPUID, v);

        CHECK_EQ(vmring_producer_post(pair.producer, &request, v), 0);
        raise_until_there_is_room(v);
    }
    while (left) {
        CHECK_EQ(vmring_producer_dispatch(pair.producer), 0);
        while (vmring_producer_collect(pair.producer, &verdict) == 1)
            left--;
        if (left)
            (void)poll(&pfd, 1, -1);
    }
}

/* This thread is the producer's, and the ring's own. */
static void in_threads(void)
{
    pthread_t threads[GROUPS];
    int ret;

    begin();
    fake_xen.threads = true;
    faults_idle = NULL; /* who waits does not go on for the producer */
    for (uint32_t g = 0; g < GROUPS; g++)
        CHECK(!pthread_create(&threads[g], NULL, work, workers[g]));
    for (int i = 0; i < ROUNDS; i++)
        ask_both();
    CHECK_EQ(vmring_quiesce(ring), 0);
    do {
        pair_serve();
        ret = vmring_next(ring, &event);
    } while (ret == 0);
    CHECK_EQ(ret, -ENODATA);
    for (uint32_t g = 0; g < GROUPS; g++) {
        CHECK(!pthread_join(threads[g], NULL));
        CHECK_EQ(taken[g], 2 * ROUNDS);
    }
    fake_xen.threads = false;
    end();
}

int main(void)
{
    meeting_prepare();
    apart();
    bridge_dies();
    in_threads();
    return 0;
}
