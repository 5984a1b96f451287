/* SPDX-License-Identifier: MIT */
/*
 * Description: a source that arms bit by bit: verdicts go on meanwhile, the
 * consumer has its answer when the source has done, and what it asks for
 * behind that waits and wakes nobody; a consumer that goes meanwhile is seen
 * to.
 */
#include "pair.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <vmring_local.h>

#include "transport/local/socket.h"

#define FOREVER 1000000

static struct pair pair;

/* The source. */
static int looks; /* that it will take to arm */
static int left;  /* of them */
static unsigned int nr_asked, nr_wanted, nr_disarmed;
static bool is_armed;
static int *results_of, outcome = VMRING_SPEC_ARMED;
static char *text_of;

static void subscribe(void *ctx, const struct vmring_spec *specs,
                      unsigned int nr, int *results, char *error,
                      size_t error_len)
{
    (void)ctx;
    (void)specs;
    if (nr == 0) {
        nr_disarmed++;
        is_armed = false;
        return;
    }
    CHECK(left == 0 && error_len > 8);
    left = looks;
    nr_wanted = nr;
    nr_asked++;
    results_of = results;
    text_of = error;
}

static bool arming(void *ctx)
{
    (void)ctx;
    if (left > 0) {
        left--;
        return true;
    }
    if (results_of) {
        for (unsigned int i = 0; i < nr_wanted; i++)
            results_of[i] = outcome;
        if (outcome != VMRING_SPEC_ARMED)
            strcpy(text_of, "no luck");
        is_armed = outcome == VMRING_SPEC_ARMED;
        results_of = NULL;
    }
    return false;
}

static bool quiet(void *ctx)
{
    (void)ctx;
    return !is_armed;
}

static const struct vmring_producer_ops ops = {
    .size = sizeof(ops),
    .subscribe = subscribe,
    .quiet = quiet,
    .arming = arming,
};

/* Turns of the producer while the consumer waits. */
static void turn_on(void)
{
    for (int i = 0; i < 20; i++)
        pair_serve();
}

static void answer_comes_when_it_is_done(void)
{
    char error[64] = "";
    int result = 7;

    faults_idle = turn_on;
    looks = 9;
    CHECK_EQ(vmring_subscribe(pair.ring, "cpuid", &result, error, 64), 1);
    CHECK_EQ(left, 0);
    CHECK_EQ(result, VMRING_SPEC_ARMED);
    looks = 9;
    outcome = VMRING_SPEC_FAILED;
    CHECK_EQ(vmring_subscribe(pair.ring, "cr3", &result, error, 64), -EIO);
    CHECK_EQ(left, 0);
    CHECK_EQ(result, VMRING_SPEC_FAILED);
    CHECK_STR(error, "no luck");
    outcome = VMRING_SPEC_ARMED;
    CHECK_EQ(nr_asked, 2);
}

/* By a second descriptor of the consumer's end. */
static void ask(int fd, uint32_t type, const char *text)
{
    CHECK_EQ(socket_send(fd, type, text, strlen(text), NULL, 0), 0);
}

static bool hears(int fd, uint32_t type)
{
    unsigned char body[VMRING_LOCAL_MAX];
    uint32_t got;

    return socket_recv(fd, &got, body, sizeof(body), NULL, 0, NULL) >= 0 &&
           got == type;
}

static void verdict_comes_meanwhile(int fd)
{
    struct xen_vm_ring_event raised = pair_event(XEN_VM_RING_REASON_CPUID, 1);
    struct xen_vm_ring_response response;
    struct vmring_verdict verdict;
    struct vmring_event event;

    ask(fd, VMRING_LOCAL_SUBSCRIBE, "cpuid");
    pair_serve();
    CHECK_EQ(vmring_producer_post(pair.producer, &raised, 1), 0);
    vmring_producer_flush(pair.producer);
    CHECK_EQ(vmring_next(pair.ring, &event), 1);
    vmring_neutral(&event, &response);
    CHECK_EQ(vmring_respond(pair.ring, &event, &response), 0);
    vmring_flush(pair.ring);
    CHECK_EQ(vmring_producer_dispatch(pair.producer), 0);
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 1);
    CHECK_EQ(verdict.by, VMRING_BY_CONSUMER);
}

static void one_at_a_time(int fd)
{
    unsigned int asked = nr_asked, disarmed = nr_disarmed;

    looks = FOREVER;
    verdict_comes_meanwhile(fd);
    CHECK_EQ(nr_asked, asked + 1);
    ask(fd, VMRING_LOCAL_SUBSCRIBE, "cr3");
    ask(fd, VMRING_LOCAL_SUBSCRIBE, "cr4");
    ask(fd, VMRING_LOCAL_QUIESCE, "");
    for (int i = 0; i < 5; i++)
        pair_serve();
    CHECK_EQ(nr_asked, asked + 1);
    CHECK(!hears(fd, VMRING_LOCAL_SUBSCRIBED));

    /* Then each in its turn. */
    looks = left = 0;
    pair_serve();
    CHECK(hears(fd, VMRING_LOCAL_SUBSCRIBED));
    CHECK(hears(fd, VMRING_LOCAL_SUBSCRIBED));
    CHECK(!hears(fd, VMRING_LOCAL_SUBSCRIBED));
    CHECK_EQ(nr_asked, asked + 2);
    pair_serve();
    CHECK(hears(fd, VMRING_LOCAL_SUBSCRIBED));
    CHECK_EQ(nr_asked, asked + 3);
    CHECK_EQ(nr_disarmed, disarmed);
    pair_serve();
    CHECK(hears(fd, VMRING_LOCAL_QUIET));
    CHECK_EQ(nr_asked, asked + 3);
    CHECK_EQ(nr_disarmed, disarmed + 1);
}

static bool is_awake(void)
{
    struct pollfd pfd = {.fd = vmring_producer_fd(pair.producer),
                         .events = POLLIN};

    /* Not poll(), which serves when it waits. */
    return ppoll(&pfd, 1, &(struct timespec){0}, NULL) == 1;
}

/* Its end is seen though the source is at work, and that it had detached. */
static void goes_meanwhile(int fd)
{
    unsigned int asked = nr_asked, disarmed = nr_disarmed;

    looks = FOREVER;
    ask(fd, VMRING_LOCAL_SUBSCRIBE, "cpuid");
    pair_serve();
    ask(fd, VMRING_LOCAL_SUBSCRIBE, "cr3");
    ask(fd, VMRING_LOCAL_SUPPORTED, "");
    ask(fd, VMRING_LOCAL_COUNT, "");
    ask(fd, VMRING_LOCAL_DRAINED, "");
    pair_serve();
    pair_serve();
    CHECK(!is_awake());
    CHECK_EQ(vmring_producer_attached(pair.producer), 1);
    close(fd);
    vmring_close(pair.ring);
    pair.ring = NULL;
    CHECK(is_awake());
    pair_serve();
    CHECK_EQ(vmring_producer_attached(pair.producer), 0);
    CHECK_EQ(nr_asked, asked + 1);
    CHECK_EQ(nr_disarmed, disarmed + 1);
    looks = left = 0;
    pair_serve();
}

static int looks_left;

static bool is_enough(void *ctx)
{
    CHECK(ctx == &looks_left);
    return --looks_left < 0;
}

/* One that waits no longer has detached, and what was armed for it goes. */
static void is_interrupted(void)
{
    struct vmring_opts opts = {.size = sizeof(opts),
                               .interrupted = is_enough,
                               .interrupted_ctx = &looks_left};
    unsigned int disarmed = nr_disarmed;
    uint64_t mask;
    char uri[32];

    snprintf(uri, sizeof(uri), "fd:%d", pair_connect(&pair));
    CHECK_EQ(vmring_open(uri, &opts, &pair.ring), 0);
    looks_left = 2;
    looks = FOREVER;
    CHECK_EQ(vmring_subscribe(pair.ring, "cpuid", NULL, NULL, 0), -EINTR);
    CHECK_EQ(looks_left, -1);
    CHECK_EQ(vmring_supported(pair.ring, &mask), -ECONNRESET);
    CHECK_EQ(vmring_producer_attached(pair.producer), 1);
    vmring_close(pair.ring);
    pair.ring = NULL;
    pair_serve();
    CHECK_EQ(vmring_producer_attached(pair.producer), 0);
    CHECK_EQ(nr_disarmed, disarmed + 1);
    looks = left = 0;
    pair_serve();
}

/* One that was killed leaves to its successor what is being armed. */
static void is_killed_meanwhile(void)
{
    unsigned int asked = nr_asked, disarmed = nr_disarmed;
    int fd = pair_connect(&pair);
    char uri[32];

    snprintf(uri, sizeof(uri), "fd:%d", dup(fd));
    CHECK_EQ(vmring_open(uri, NULL, &pair.ring), 0);
    looks = FOREVER;
    ask(fd, VMRING_LOCAL_SUBSCRIBE, "cpuid");
    pair_serve();
    ask(fd, VMRING_LOCAL_SUBSCRIBE, "cr3");
    /* What the kernel does to each of its descriptors, in one. */
    CHECK_EQ(shutdown(fd, SHUT_RDWR), 0);
    pair_serve();
    CHECK_EQ(vmring_producer_attached(pair.producer), 0);
    CHECK_EQ(nr_asked, asked + 1);
    CHECK_EQ(nr_disarmed, disarmed);
    vmring_close(pair.ring);
    pair.ring = NULL;
    close(fd);
    looks = left = 0;
    pair_serve();
}

/* An answer that cannot be told is an end, as it is when it comes at once. */
static void does_not_listen(int fd)
{
    struct vmring_local_subscribed answer = {0};
    int err;

    looks = FOREVER;
    ask(fd, VMRING_LOCAL_SUBSCRIBE, "cpuid");
    pair_serve();
    do
        err = socket_send(pair.served, VMRING_LOCAL_SUBSCRIBED, &answer,
                          sizeof(answer), NULL, 0);
    while (err == 0);
    CHECK_EQ(err, -EAGAIN);
    looks = left = 0;
    pair_serve();
    CHECK_EQ(vmring_producer_attached(pair.producer), 1);
    ask(fd, VMRING_LOCAL_QUIESCE, "");
    pair_serve();
    CHECK_EQ(vmring_producer_attached(pair.producer), 0);
}

static int attach(int timeout_ms)
{
    struct vmring_opts opts = {.size = sizeof(opts), .timeout_ms = timeout_ms};
    char uri[32];
    int fd = pair_connect(&pair), mine = dup(fd);

    snprintf(uri, sizeof(uri), "fd:%d", fd);
    CHECK_EQ(vmring_open(uri, &opts, &pair.ring), 0);
    return mine;
}

/* Far beyond the timeout of all else. */
static void *serve_late(void *arg)
{
    (void)arg;
    usleep(300000);
    pair_serve();
    return NULL;
}

/* The more there is to arm, the longer the consumer waits. */
static void much_takes_longer(void)
{
    static const char *const much[] = {
        "msr:0-0x1fff", "cpuid mem:w@0x10-0xfffff", "mem:w@0x10-0xffffffffff"};
    int fd = attach(50);

    for (unsigned int i = 0; i < sizeof(much) / sizeof(much[0]); i++) {
        pthread_t thread;

        faults_idle = NULL;
        CHECK_EQ(pthread_create(&thread, NULL, serve_late, NULL), 0);
        CHECK(vmring_subscribe(pair.ring, much[i], NULL, NULL, 0) > 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
    }
    faults_idle = pair_serve;
    vmring_close(pair.ring);
    pair.ring = NULL;
    close(fd);
    pair_serve();
}

int main(void)
{
    struct vmring_producer_opts opts = pair_opts();
    int fd;

    opts.ops = &ops;
    pair_make(&pair, &opts);
    much_takes_longer();
    nr_asked = nr_disarmed = 0;
    fd = attach(0);
    answer_comes_when_it_is_done();
    one_at_a_time(fd);
    goes_meanwhile(fd);
    is_killed_meanwhile();
    is_interrupted();
    fd = attach(0);
    does_not_listen(fd);
    close(fd);
    pair_end(&pair);
    return 0;
}
