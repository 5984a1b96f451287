/* SPDX-License-Identifier: MIT */
/*
 * Description: a worker has the events of its group and no others, and the
 * ring those of the rest and of the epoch before; each end reaches every
 * worker, and then the ring; whoever has to look is woken.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "consumer/consumer.h"
#include "pair.h"
#include "transport/local/socket.h"

#define GROUPS 2
#define VCPUS  4

static struct pair pair;
static struct vmring_worker *workers[XEN_VM_RING_MAX_GROUPS];
static struct vmring_event event;

static void attach(void)
{
    struct vmring_opts ours = {.size = sizeof(ours), .nr_groups = GROUPS};

    pair_attach(&pair, &ours);
}

static void begin(void)
{
    struct vmring_producer_opts opts = pair_opts();

    opts.nr_vcpus = VCPUS;
    pair_make(&pair, &opts);
    attach();
}

static void open_workers(void)
{
    for (uint32_t g = 0; g < GROUPS; g++)
        CHECK_EQ(vmring_worker_open(pair.ring, g, &workers[g]), 0);
}

static bool is_readable(int fd)
{
    struct pollfd pfd = {fd, POLLIN, 0};

    return poll(&pfd, 1, 0) == 1;
}

static bool is_woken(uint32_t group)
{
    return is_readable(vmring_worker_fd(workers[group]));
}

static bool ring_is_woken(void)
{
    return is_readable(vmring_fd(pair.ring));
}

static void push(uint32_t vcpu)
{
    struct xen_vm_ring_event record =
        pair_event(XEN_VM_RING_REASON_VMEXIT, vcpu);

    CHECK_EQ(vmring_producer_push(pair.producer, vcpu, &record), 1);
}

static void post(uint32_t vcpu)
{
    struct xen_vm_ring_event request =
        pair_event(XEN_VM_RING_REASON_CPUID, vcpu);

    CHECK_EQ(vmring_producer_post(pair.producer, &request, vcpu), 0);
}

static int next(uint32_t group)
{
    return vmring_worker_next(workers[group], &event);
}

static int ring_next(void)
{
    return vmring_next(pair.ring, &event);
}

/* All sleep, and nothing wakes them. */
static void all_sleep(void)
{
    for (uint32_t g = 0; g < GROUPS; g++)
        CHECK_EQ(next(g), 0);
    CHECK_EQ(ring_next(), 0);
    for (uint32_t g = 0; g < GROUPS; g++)
        CHECK(!is_woken(g));
    CHECK(!ring_is_woken());
}

/* One at its end says so to the ring, which waits for the other. */
static void end_with(int end)
{
    for (uint32_t g = 0; g < GROUPS; g++) {
        CHECK_EQ(ring_next(), 0);
        CHECK(!ring_is_woken());
        CHECK_EQ(next(g), end);
        CHECK(ring_is_woken());
    }
    CHECK_EQ(ring_next(), end);
}

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

/* The last records come with the news, and before the end. */
static void quiet(void)
{
    begin();
    open_workers();
    all_sleep();
    CHECK_EQ(vmring_quiesce(pair.ring), 0);
    push(0);
    pair_serve(); /* flushes, and says so */
    CHECK(ring_is_woken());
    CHECK_EQ(ring_next(), 0);
    CHECK(is_woken(0) && is_woken(1));
    CHECK_EQ(next(0), 1);
    CHECK_EQ(event.lane, 0);
    end_with(-ENODATA);
    /* It is quiet still; but not after another subscription. */
    CHECK_EQ(next(1), -ENODATA);
    CHECK_EQ(vmring_subscribe(pair.ring, "vmexit", NULL, NULL, 0), 1);
    CHECK(is_woken(0) && is_woken(1));
    all_sleep();
    CHECK_EQ(vmring_quiesce(pair.ring), 0);
    pair_serve();
    end_with(-ENODATA);
    pair_end(&pair);
}

/* A worker that is at its end may go on, and the ring with it. */
static void goes_on(void)
{
    begin();
    open_workers();
    CHECK_EQ(vmring_quiesce(pair.ring), 0);
    pair_serve();
    CHECK_EQ(ring_next(), 0);
    CHECK_EQ(next(0), -ENODATA);
    CHECK_EQ(next(1), -ENODATA);
    push(1); /* which a producer that is quiet does not */
    vmring_producer_flush(pair.producer);
    CHECK_EQ(next(1), 1);
    CHECK_EQ(ring_next(), 0);
    CHECK_EQ(next(1), -ENODATA);
    CHECK_EQ(ring_next(), -ENODATA);
    pair_end(&pair);
}

/* It was told, and slow: the producer has hung up, and goes on in P. */
static void hung_up_on(void)
{
    begin();
    open_workers();
    CHECK_EQ(vmring_quiesce(pair.ring), 0);
    pair_serve();
    CHECK_EQ(ring_next(), 0);
    CHECK_EQ(next(1), -ENODATA);
    CHECK_EQ(shutdown(pair.served, SHUT_RDWR), 0);
    pair_serve();
    push(0);
    vmring_producer_flush(pair.producer);
    CHECK_EQ(next(0), 1);
    CHECK_EQ(event.lane, 0);
    CHECK_EQ(next(0), -ENODATA);
    CHECK_EQ(next(1), -ENODATA);
    CHECK_EQ(ring_next(), -ENODATA);
    pair_end(&pair);
}

static void target_ends(void)
{
    begin();
    open_workers();
    all_sleep();
    push(1);
    vmring_producer_set_target_state(pair.producer, XEN_VM_RING_TARGET_SHUTDOWN,
                                     3);
    CHECK(is_woken(0) && is_woken(1));
    CHECK_EQ(next(0), -ESRCH);
    CHECK_EQ(ring_next(), 0);
    CHECK_EQ(next(1), 1);
    CHECK_EQ(event.lane, 1);
    CHECK_EQ(next(1), -ESRCH);
    CHECK(ring_is_woken());
    /* Told when all is delivered, and before the end. */
    CHECK_EQ(ring_next(), VMRING_NEXT_TARGET);
    CHECK_EQ(event.target, XEN_VM_RING_TARGET_SHUTDOWN);
    CHECK_EQ(ring_next(), -ESRCH);
    pair_end(&pair);
}

/* No doorbell is the ring's, but a worker that is rung tells it. */
static void target_pauses(void)
{
    begin();
    open_workers();
    all_sleep();
    vmring_producer_set_target_state(pair.producer, XEN_VM_RING_TARGET_PAUSED,
                                     0);
    CHECK(is_woken(1));
    CHECK_EQ(next(1), 0);
    CHECK(ring_is_woken());
    CHECK_EQ(ring_next(), VMRING_NEXT_TARGET);
    CHECK_EQ(event.target, XEN_VM_RING_TARGET_PAUSED);
    all_sleep();
    /* Also one that always has events, and is not rung. */
    push(1);
    vmring_producer_flush(pair.producer);
    CHECK_EQ(next(1), 1);
    vmring_producer_set_target_state(pair.producer, XEN_VM_RING_TARGET_RUNNING,
                                     0);
    for (int i = 0; i < 100; i++) {
        push(1);
        vmring_producer_flush(pair.producer);
        CHECK_EQ(next(1), 1);
    }
    CHECK(ring_is_woken());
    CHECK_EQ(ring_next(), VMRING_NEXT_TARGET);
    CHECK_EQ(event.target, XEN_VM_RING_TARGET_RUNNING);
    pair_end(&pair);
}

/* The ring's own groups may have events all the time, too. */
static void pauses_amid_events(void)
{
    static const unsigned int states[] = {XEN_VM_RING_TARGET_PAUSED,
                                          XEN_VM_RING_TARGET_RUNNING};

    begin();
    CHECK_EQ(vmring_worker_open(pair.ring, 1, &workers[1]), 0);
    for (unsigned int i = 0; i < 2; i++) {
        int ret = 1;

        vmring_producer_set_target_state(pair.producer, states[i], 0);
        for (int events = 0; ret == 1 && events < 100; events++) {
            push(0);
            vmring_producer_flush(pair.producer);
            ret = ring_next();
        }
        CHECK_EQ(ret, VMRING_NEXT_TARGET);
        CHECK_EQ(event.target, states[i]);
    }
    pair_end(&pair);
}

/* What it had pushed and not flushed is taken, of every group. */
static void producer_dies(bool after_its_target)
{
    begin();
    open_workers();
    all_sleep();
    if (after_its_target) {
        vmring_producer_set_target_state(pair.producer,
                                         XEN_VM_RING_TARGET_SHUTDOWN, 0);
        CHECK_EQ(next(0), -ESRCH);
        CHECK_EQ(next(1), -ESRCH);
    }
    push(0);
    push(3);
    CHECK_EQ(shutdown(pair.served, SHUT_RDWR), 0); /* as its death does */
    CHECK(ring_is_woken());
    if (after_its_target)
        CHECK_EQ(ring_next(), VMRING_NEXT_TARGET);
    else
        CHECK_EQ(ring_next(), 0);
    CHECK(is_woken(0) && is_woken(1));
    CHECK_EQ(next(0), 1);
    CHECK_EQ(event.lane, 0);
    CHECK_EQ(next(1), 1);
    CHECK_EQ(event.lane, 3);
    if (!after_its_target)
        end_with(-ECONNRESET);
    CHECK_EQ(vmring_quiesce(pair.ring), -ECONNRESET);
    pair_end(&pair);
}

/* One that had not looked at its group again leaves that to the ring. */
static void dies_and_closed(void)
{
    begin();
    CHECK_EQ(vmring_worker_open(pair.ring, 1, &workers[1]), 0);
    CHECK_EQ(next(1), 0);
    push(3);
    CHECK_EQ(shutdown(pair.served, SHUT_RDWR), 0);
    CHECK_EQ(ring_next(), 0);
    vmring_worker_close(workers[1]);
    CHECK_EQ(ring_next(), 1);
    CHECK_EQ(event.lane, 3);
    CHECK_EQ(ring_next(), -ECONNRESET);
    pair_end(&pair);
}

/* A doorbell that has hung up keeps nobody awake, nor is missed. */
static void bell_hangs_up(void)
{
    begin();
    open_workers();
    all_sleep();
    vmring_producer_close(pair.producer, NULL, NULL);
    CHECK(is_woken(1));
    CHECK_EQ(next(1), 0); /* its last ring */
    CHECK_EQ(next(1), 0);
    CHECK(!is_woken(1));
    CHECK_EQ(ring_next(), 0);
    CHECK(is_woken(1));
    end_with(-ECONNRESET);
    vmring_worker_close(workers[1]);
    /* And one that is opened on it waits for the rest alone. */
    CHECK_EQ(vmring_worker_open(pair.ring, 1, &workers[1]), 0);
    CHECK_EQ(next(1), -ECONNRESET);
    vmring_close(pair.ring);
}

static void one_lies(void)
{
    begin();
    open_workers();
    all_sleep();
    pair.ring->core.groups[1].faulted = true;
    CHECK_EQ(next(1), -EPROTO);
    CHECK(is_woken(0) && ring_is_woken());
    CHECK_EQ(next(0), -EPROTO);
    CHECK_EQ(ring_next(), -EPROTO);
    CHECK_EQ(next(1), -EPROTO);
    CHECK_EQ(ring_next(), -EPROTO);
    CHECK_EQ(vmring_quiesce(pair.ring), -EPROTO);
    pair_end(&pair);
    /* Or the ring's own thread finds it. */
    begin();
    CHECK_EQ(vmring_worker_open(pair.ring, 1, &workers[1]), 0);
    CHECK_EQ(next(1), 0);
    pair.ring->core.groups[0].faulted = true;
    CHECK_EQ(ring_next(), -EPROTO);
    CHECK(is_woken(1));
    CHECK_EQ(next(1), -EPROTO);
    pair_end(&pair);
}

/* Pages that the producer took away, of either region. */
static void memory_taken(bool of_c)
{
    begin();
    open_workers();
    all_sleep();
    CHECK_EQ(vmring_survive_sigbus(of_c ? pair.ring->c.at : pair.ring->p.at),
             1);
    CHECK_EQ(next(1), -EPROTO);
    CHECK(is_woken(0) && ring_is_woken());
    CHECK_EQ(next(0), -EPROTO);
    CHECK_EQ(ring_next(), -EPROTO);
    pair_end(&pair);
}

/* By the control channel, which is the ring's. */
static void channel_lies(void)
{
    begin();
    open_workers();
    all_sleep();
    CHECK_EQ(socket_send(pair.served, VMRING_LOCAL_DETACH, NULL, 0, NULL, 0),
             0);
    CHECK_EQ(ring_next(), -EPROTO);
    CHECK(is_woken(0) && is_woken(1));
    CHECK_EQ(next(0), -EPROTO);
    CHECK_EQ(next(1), -EPROTO);
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
    CHECK_EQ(rows[0].taken + rows[1].taken, 1);
    CHECK_EQ(rows[0].pulled + rows[1].pulled, 1);
    CHECK_EQ(rows[3].vcpu, 2);
    CHECK_EQ(rows[3].pulled, 1);
    free(rows);
    CHECK_EQ(vmring_lane_counts(pair.ring, &lanes), VCPUS);
    for (uint32_t v = 0; v < VCPUS; v++) {
        CHECK_EQ(lanes[v].delivered, v < 3);
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
    quiet();
    goes_on();
    hung_up_on();
    target_ends();
    target_pauses();
    pauses_amid_events();
    producer_dies(false);
    producer_dies(true);
    dies_and_closed();
    bell_hangs_up();
    one_lies();
    memory_taken(false);
    memory_taken(true);
    channel_lies();
    most_groups();
    epoch_before();
    counts();
    return 0;
}
