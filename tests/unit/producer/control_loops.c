/* SPDX-License-Identifier: MIT */
/*
 * Description: however a producer's loop is written, its consumer gets the
 * counts, QUIET and the end that it asked for, the loop sleeps meanwhile, and a
 * detach leaves no request pending behind the turn in which it is seen.
 */
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "vmring.h"

#define SLOW_US                                                                \
    20000 /* of the producer: what is sent meanwhile comes at once */
#define CAP_MS    10000
#define IDLE_MS   60000 /* of a source that has nothing to do */
#define MAX_TURNS 500

enum loop {
    ALL,         /* dispatches, lets the source run, collects all */
    IF_READABLE, /* dispatches only when the descriptor was readable */
    ONE_VERDICT, /* takes one verdict a turn */
    TWICE,       /* collects all, and once more */
    NR_LOOPS
};

static const char *const loops[] = {"collects all", "dispatches if readable",
                                    "takes one verdict", "collects twice"};

/* A source as the bridge's: it takes two turns to come down. */
static struct {
    struct vmring_producer *producer;
    enum loop loop;
    enum { QUIET, ARMED, DISARMED, COMING_DOWN } state;
    int asked; /* eventfd: to post a request */
    unsigned int turns;
} source;

static void subscribe(void *ctx, const struct vmring_spec *specs,
                      unsigned int nr, int *results, char *error,
                      size_t error_len)
{
    (void)ctx;
    (void)specs;
    (void)error;
    (void)error_len;
    for (unsigned int i = 0; i < nr; i++)
        results[i] = VMRING_SPEC_ARMED;
    source.state = nr ? ARMED : DISARMED;
}

static bool quiet(void *ctx)
{
    (void)ctx;
    return source.state == QUIET;
}

/* How long the loop may sleep for it. */
static int run(void)
{
    const struct xen_vm_ring_event cpuid = {.reason = XEN_VM_RING_REASON_CPUID,
                                            .length = XEN_VM_RING_EVENT_HEAD};
    eventfd_t count;

    if (eventfd_read(source.asked, &count) == 0)
        CHECK_EQ(vmring_producer_post(source.producer, &cpuid, 0), 0);
    switch (source.state) {
    case DISARMED:
        source.state = COMING_DOWN;
        return 3;
    case COMING_DOWN:
        source.state = QUIET;
        return IDLE_MS;
    default:
        return IDLE_MS;
    }
}

/* true: there may be more. */
static bool collect(void)
{
    struct vmring_verdict verdict;

    while (vmring_producer_collect(source.producer, &verdict) == 1)
        if (source.loop == ONE_VERDICT)
            return true;
    return false;
}

static int sooner(int a, int b)
{
    return a >= 0 && a < b ? a : b;
}

/* Until its consumer has gone, and nothing is left to do. */
static void *serve(void *ctx)
{
    struct pollfd pfds[] = {
        {vmring_producer_fd(source.producer), POLLIN, POLLIN},
        {source.asked, POLLIN, 0},
    };
    bool attached = false;
    int err = 0;

    (void)ctx;
    while (err == 0) {
        bool was = attached;
        int ms;

        usleep(SLOW_US);
        if (pfds[0].revents || source.loop != IF_READABLE)
            err = vmring_producer_dispatch(source.producer);
        attached = vmring_producer_attached(source.producer);
        ms = run();
        if (collect())
            ms = 0;
        if (source.loop == TWICE)
            (void)collect();
        vmring_producer_flush(source.producer);
        if (was && !attached)
            CHECK_EQ(vmring_producer_pending(source.producer), 0);
        CHECK(source.turns++ < MAX_TURNS);
        CHECK(poll(pfds, 2,
                   sooner(vmring_producer_timeout(source.producer), ms)) >= 0);
    }
    return NULL;
}

static struct vmring *attach(int fd)
{
    struct vmring_opts opts = {.size = sizeof(opts), .timeout_ms = CAP_MS};
    struct vmring *ring;
    char uri[32];

    snprintf(uri, sizeof(uri), "fd:%d", fd);
    CHECK_EQ(vmring_open(uri, &opts, &ring), 0);
    CHECK_EQ(vmring_subscribe(ring, "cpuid", NULL, NULL, 0), 1);
    return ring;
}

static void take(struct vmring *ring, struct vmring_event *event)
{
    struct pollfd pfd = {vmring_fd(ring), POLLIN, 0};
    int ret;

    CHECK_EQ(eventfd_write(source.asked, 1), 0);
    while ((ret = vmring_next(ring, event)) == 0)
        CHECK_EQ(poll(&pfd, 1, CAP_MS), 1);
    CHECK_EQ(ret, 1);
}

/* What it has answered counts; COUNT comes with the answer. */
static void counts(struct vmring *ring)
{
    struct xen_vm_ring_response response;
    struct vmring_count *rows = NULL;
    struct vmring_event event;

    take(ring, &event);
    vmring_neutral(&event, &response);
    CHECK_EQ(vmring_respond(ring, &event, &response), 0);
    vmring_flush(ring);
    CHECK_EQ(vmring_counts(ring, &rows), 1);
    CHECK_EQ(rows[0].answered, 1);
    free(rows);
}

static void quiesce(struct vmring *ring)
{
    struct pollfd pfd = {vmring_fd(ring), POLLIN, 0};
    struct vmring_event event;

    CHECK_EQ(vmring_quiesce(ring), 0);
    while (vmring_next(ring, &event) == 0)
        CHECK_EQ(poll(&pfd, 1, CAP_MS), 1);
}

static void consume(int fd, bool quiesces)
{
    struct vmring *ring = attach(fd);
    struct vmring_event event;

    counts(ring);
    if (quiesces)
        quiesce(ring);
    else
        take(ring, &event); /* and leaves it unanswered */
    vmring_close(ring);
}

static void try(enum loop loop, bool quiesces)
{
    static const struct vmring_producer_ops ops = {
        .size = sizeof(ops), .subscribe = subscribe, .quiet = quiet};
    struct vmring_producer_opts opts = {.size = sizeof(opts),
                                        .ops = &ops,
                                        .nr_vcpus = 1,
                                        .arch = XEN_VM_RING_ARCH_X86,
                                        .deadline_ns = CAP_MS * 1000000ULL};
    pthread_t thread;
    int ends[2];

    fprintf(stderr, "a loop that %s; the consumer %s\n", loops[loop],
            quiesces ? "quiesces" : "detaches");
    source.loop = loop;
    source.state = QUIET;
    source.turns = 0;
    source.asked = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(source.asked >= 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    CHECK_EQ(vmring_producer_open(&opts, &source.producer), 0);
    CHECK_EQ(vmring_producer_serve_fd(source.producer, ends[0]), 0);
    CHECK_EQ(pthread_create(&thread, NULL, serve, NULL), 0);
    consume(ends[1], quiesces);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    vmring_producer_close(source.producer, NULL, NULL);
    close(source.asked);
}

int main(void)
{
    for (enum loop loop = ALL; loop < NR_LOOPS; loop++) {
        try(loop, false);
        try(loop, true);
    }
    return 0;
}
