/* SPDX-License-Identifier: MIT */
/*
 * Description: a producer's thread, four workers' and the ring's own, asleep
 * but for the doorbells and each other's wakes: every event is handed out once
 * or counted lost, every request answered, and each end is told to all.  A
 * wake-up that is lost hangs; the test's limit reports it.
 *
 * usage: workers_race quiet|target|death ROUNDS
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "core/atomic.h"
#include "vmring.h"

#define VCPUS  12
#define GROUPS 4
#define EVENTS 600

enum how { QUIET, TARGET, DEATH };

/* Written by the producer's thread, read when it has ended. */
static struct vmring_producer *producer;
static int served;
static enum how how;
static uint64_t attempts[VCPUS], posted, answered, round_;
static bool is_asked[VCPUS]; /* for a verdict */
static bool disarmed;

/* One worker's. */
struct worker {
    pthread_t thread;
    struct vmring_worker *handle;
    uint64_t seed, requests, records[VCPUS], lost[VCPUS];
    int end;
} __attribute__((__aligned__(XEN_VM_RING_LINE)));

static struct worker workers[GROUPS];

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(*seed >> 33) % below;
}

static void subscribe(void *ctx, const struct vmring_spec *specs,
                      unsigned int nr, int *results, char *error,
                      size_t error_len)
{
    (void)ctx;
    (void)specs;
    (void)results;
    (void)error;
    (void)error_len;
    disarmed = nr == 0;
}

static void serve(void)
{
    struct vmring_verdict verdict;

    (void)vmring_producer_dispatch(producer);
    while (vmring_producer_collect(producer, &verdict) == 1) {
        CHECK_EQ(verdict.by, VMRING_BY_CONSUMER);
        CHECK(is_asked[verdict.cookie]);
        is_asked[verdict.cookie] = false;
        answered++;
    }
}

static void wait_and_serve(void)
{
    struct pollfd pfd = {vmring_producer_fd(producer), POLLIN, 0};

    serve();
    if (vmring_producer_attached(producer))
        (void)poll(&pfd, 1, -1);
}

static void raise_one(uint64_t *seed)
{
    uint32_t vcpu = draw(seed, VCPUS);
    struct xen_vm_ring_event event = {
        .reason = XEN_VM_RING_REASON_MOV_TO_MSR,
        .vcpu = (uint16_t)vcpu,
        .length = XEN_VM_RING_EVENT_HEAD,
    };

    if (draw(seed, 4) || is_asked[vcpu]) {
        attempts[vcpu]++;
        CHECK(vmring_producer_push(producer, vcpu, &event) >= 0);
    } else {
        is_asked[vcpu] = true;
        posted++;
        CHECK_EQ(vmring_producer_post(producer, &event, vcpu), 0);
    }
}

static void *produce(void *unused)
{
    uint64_t seed = round_;

    while (!vmring_producer_attached(producer)) {
        struct pollfd pfd = {vmring_producer_fd(producer), POLLIN, 0};

        (void)poll(&pfd, 1, -1);
        (void)vmring_producer_dispatch(producer);
    }
    for (int i = 0; how == QUIET ? !disarmed : i < EVENTS; i++) {
        raise_one(&seed);
        if (draw(&seed, 3) == 0)
            vmring_producer_flush(producer);
        if (draw(&seed, 8) == 0)
            serve();
        if (draw(&seed, 64) == 0)
            sched_yield();
    }
    if (how == TARGET)
        vmring_producer_set_target_state(producer, XEN_VM_RING_TARGET_DESTROYED,
                                         0);
    if (how == DEATH)
        CHECK_EQ(shutdown(served, SHUT_RDWR), 0); /* as its death does */
    while (how != DEATH && vmring_producer_attached(producer))
        wait_and_serve();
    serve(); /* what was answered last */
    return unused;
}

static void take(struct worker *worker, const struct vmring_event *event)
{
    struct xen_vm_ring_response response;

    CHECK_EQ(event->rec.vcpu % GROUPS, worker - workers);
    if (!event->seq) {
        worker->records[event->lane]++;
        worker->lost[event->lane] += event->lost_before;
        return;
    }
    worker->requests++;
    vmring_neutral(event, &response);
    CHECK_EQ(vmring_worker_respond(worker->handle, event, &response), 0);
    if (draw(&worker->seed, 2))
        vmring_worker_flush(worker->handle);
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct vmring_event event;

    do {
        struct pollfd pfd = {vmring_worker_fd(worker->handle), POLLIN, 0};

        worker->end = vmring_worker_next(worker->handle, &event);
        if (worker->end == 1)
            take(worker, &event);
        else if (worker->end == 0)
            (void)poll(&pfd, 1, -1);
    } while (worker->end >= 0);
    return NULL;
}

/* Counts are whole while others count: they only grow. */
static uint64_t look(struct vmring *ring, uint64_t before)
{
    struct vmring_stats stats = {.size = sizeof(stats)};
    struct vmring_lane_count *lanes;
    uint64_t sum = 0;

    CHECK_EQ(vmring_get_stats(ring, &stats), 0);
    CHECK_EQ(vmring_lane_counts(ring, &lanes), VCPUS);
    for (uint32_t i = 0; i < VCPUS; i++)
        sum += lanes[i].taken;
    free(lanes);
    sum += stats.requests;
    CHECK(sum >= before);
    return sum;
}

/* The ring's own thread, until the end. */
static int own(struct vmring *ring)
{
    struct vmring_event event;
    bool asked = how != QUIET;
    uint64_t seen = 0;
    int ret;

    while ((ret = vmring_next(ring, &event)) >= 0) {
        struct pollfd pfd = {vmring_fd(ring), POLLIN, 0};

        CHECK(ret != 1);
        seen = look(ring, seen);
        if (!asked && seen > EVENTS / 2) {
            CHECK_EQ(vmring_quiesce(ring), 0);
            asked = true;
        }
        /* Until then it polls what nobody wakes it for. */
        (void)poll(&pfd, 1, asked ? -1 : 1);
    }
    return ret;
}

static void check_ledger(const struct vmring_lane_count *lanes)
{
    uint64_t requests = 0;

    for (uint32_t v = 0; v < VCPUS; v++) {
        const struct worker *worker = &workers[v % GROUPS];

        CHECK_EQ(lanes[v].pending, 0);
        CHECK_EQ(lanes[v].attempted, attempts[v]);
        CHECK_EQ(lanes[v].taken, worker->records[v]);
        CHECK_EQ(worker->records[v] + lanes[v].lost, attempts[v]);
        CHECK(worker->lost[v] <= lanes[v].lost);
    }
    for (uint32_t g = 0; g < GROUPS; g++)
        requests += workers[g].requests;
    CHECK_EQ(requests, posted);
    if (how != DEATH)
        CHECK_EQ(answered, posted);
}

static struct vmring *attach(pthread_t *thread)
{
    static const struct vmring_producer_ops ops = {.size = sizeof(ops),
                                                   .subscribe = subscribe};
    struct vmring_producer_opts opts = {
        .size = sizeof(opts),
        .ops = &ops,
        .target = "race",
        .nr_vcpus = VCPUS,
        .arch = XEN_VM_RING_ARCH_X86,
        .deadline_ns = UINT64_MAX,
    };
    struct vmring_opts ours = {.size = sizeof(ours),
                               .nr_groups = GROUPS,
                               .record_len = 64,
                               .async_len = VCPUS * 16 * 64};
    struct vmring *ring;
    char uri[32];
    int ends[2];

    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    served = ends[0];
    CHECK_EQ(vmring_producer_serve_fd(producer, served), 0);
    CHECK(!pthread_create(thread, NULL, produce, NULL));
    snprintf(uri, sizeof(uri), "fd:%d", ends[1]);
    CHECK_EQ(vmring_open(uri, &ours, &ring), 0);
    return ring;
}

static void run(int end)
{
    struct vmring_lane_count *lanes;
    pthread_t thread;
    struct vmring *ring;

    memset(workers, 0, sizeof(workers));
    memset(attempts, 0, sizeof(attempts));
    memset(is_asked, 0, sizeof(is_asked));
    posted = answered = 0;
    disarmed = false;
    ring = attach(&thread);
    for (uint32_t g = 0; g < GROUPS; g++) {
        workers[g].seed = g;
        CHECK_EQ(vmring_worker_open(ring, g, &workers[g].handle), 0);
    }
    for (uint32_t g = 0; g < GROUPS; g++)
        CHECK(!pthread_create(&workers[g].thread, NULL, work, &workers[g]));
    CHECK_EQ(own(ring), end);
    for (uint32_t g = 0; g < GROUPS; g++) {
        CHECK(!pthread_join(workers[g].thread, NULL));
        CHECK_EQ(workers[g].end, end);
    }
    CHECK_EQ(vmring_lane_counts(ring, &lanes), VCPUS);
    for (uint32_t g = 0; g < GROUPS; g++)
        vmring_worker_close(workers[g].handle);
    vmring_close(ring);
    CHECK(!pthread_join(thread, NULL));
    check_ledger(lanes);
    free(lanes);
    vmring_producer_close(producer, NULL, NULL);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int end;
    } ends[] = {
        {"quiet", -ENODATA}, {"target", -ESRCH}, {"death", -ECONNRESET}};

    CHECK(argc == 3);
    while (how < 2 && strcmp(ends[how].name, argv[1]))
        how++;
    for (round_ = 1; round_ <= strtoull(argv[2], NULL, 0); round_++)
        run(ends[how].end);
    return 0;
}
