/* SPDX-License-Identifier: MIT */
/*
 * Description: what a consumer waits for until all answers are collected, the
 * descriptor tells of, and the next dispatch does; what cannot be told to a
 * consumer that does not read keeps nobody awake, and is tried again.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vmring_local.h>

#include "by_hand.h"
#include "check.h"
#include "transport/local/socket.h"
#include "vmring.h"

static struct vmring_producer *producer;
static int ends[2], reads;
static bool is_slow, is_arming; /* the source, bit by bit */

static void subscribe(void *ctx, const struct vmring_spec *specs,
                      unsigned int nr, int *results, char *error,
                      size_t error_len)
{
    (void)ctx;
    (void)specs;
    (void)nr;
    (void)results;
    (void)error;
    (void)error_len;
    is_arming = is_slow;
}

static bool arming(void *ctx)
{
    (void)ctx;
    return is_arming;
}

static bool quiet(void *ctx)
{
    (void)ctx;
    return !is_arming;
}

static bool is_awake(void)
{
    struct pollfd pfd = {vmring_producer_fd(producer), POLLIN, 0};

    return poll(&pfd, 1, 0) == 1;
}

static void collect(void)
{
    struct vmring_verdict verdict;

    CHECK_EQ(vmring_producer_collect(producer, &verdict), 0);
}

static void turn(void)
{
    CHECK_EQ(vmring_producer_dispatch(producer), 0);
    collect();
}

static bool hears(uint32_t type)
{
    unsigned char body[VMRING_LOCAL_MAX];
    uint32_t got;

    return socket_recv(reads, &got, body, sizeof(body), NULL, 0, NULL) >= 0 &&
           got == type;
}

static void ask(uint32_t type, const void *body, size_t len)
{
    CHECK_EQ(socket_send(ends[1], type, body, len, NULL, 0), 0);
    CHECK(is_awake());
}

/* Not before all is collected, and then by the next dispatch. */
static void is_told_next(uint32_t answer)
{
    CHECK_EQ(vmring_producer_dispatch(producer), 0);
    CHECK(!hears(answer));
    CHECK(!is_awake());
    collect();
    CHECK(is_awake());
    CHECK(!hears(answer));
    turn();
    CHECK(hears(answer));
    CHECK(!is_awake());
}

static void does_not_read(uint32_t type, const void *body, size_t len,
                          uint32_t answer)
{
    struct vmring_local_subscribed filler = {0};
    int err;

    do
        err = socket_send(ends[0], VMRING_LOCAL_SUBSCRIBED, &filler,
                          sizeof(filler), NULL, 0);
    while (err == 0);
    CHECK_EQ(err, -EAGAIN);
    ask(type, body, len);
    turn();
    CHECK(is_awake());
    /* It fails: no loop turns for that alone. */
    turn();
    CHECK(!is_awake());
    while (hears(VMRING_LOCAL_SUBSCRIBED))
        ;
    /* It is tried again, after a while, whatever the loop turns for then. */
    CHECK_EQ(usleep(150000), 0);
    collect();
    CHECK(is_awake());
    turn();
    CHECK(hears(answer));
    CHECK(!is_awake());
}

/* What it says while the source disarms bit by bit waits, and is heard then. */
static void holds(const struct vmring_local_count *count)
{
    is_slow = true;
    ask(VMRING_LOCAL_QUIESCE, NULL, 0);
    turn();
    ask(VMRING_LOCAL_COUNT, count, sizeof(*count));
    turn();
    CHECK(!is_awake());
    is_slow = is_arming = false;
    collect();
    CHECK(is_awake());
    turn();
    CHECK(hears(VMRING_LOCAL_QUIET));
    while (is_awake())
        turn();
    CHECK(hears(VMRING_LOCAL_COUNTS));
}

/* The region of one that has gone. */
static void goes(void)
{
    close(ends[1]);
    CHECK(is_awake());
    turn();
    CHECK(!vmring_producer_attached(producer));
    CHECK(is_awake());
    CHECK_EQ(vmring_producer_dispatch(producer), -EBADF);
}

int main(void)
{
    static const struct vmring_producer_ops ops = {
        .size = sizeof(ops),
        .subscribe = subscribe,
        .arming = arming,
        .quiet = quiet,
    };
    struct vmring_producer_opts opts = {.size = sizeof(opts),
                                        .ops = &ops,
                                        .nr_vcpus = 1,
                                        .arch = XEN_VM_RING_ARCH_X86};
    struct vmring_local_count count = {0};

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    reads = ends[1];
    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    CHECK_EQ(vmring_producer_serve_fd(producer, ends[0]), 0);
    by_hand_propose(ends[1], 0, 1);
    turn();
    CHECK(hears(VMRING_LOCAL_ACCEPT));
    while (is_awake())
        turn();
    ask(VMRING_LOCAL_COUNT, &count, sizeof(count));
    is_told_next(VMRING_LOCAL_COUNTS);
    ask(VMRING_LOCAL_QUIESCE, NULL, 0);
    is_told_next(VMRING_LOCAL_QUIET);
    does_not_read(VMRING_LOCAL_QUIESCE, NULL, 0, VMRING_LOCAL_QUIET);
    does_not_read(VMRING_LOCAL_COUNT, &count, sizeof(count),
                  VMRING_LOCAL_COUNTS);
    holds(&count);
    goes();
    vmring_producer_close(producer, NULL, NULL);
    return 0;
}
