/* SPDX-License-Identifier: MIT */
/*
 * Description: the memory of a ring comes, and goes, bit by bit, however slow
 * it is: no call takes longer for a large one, others are answered meanwhile,
 * and who leaves amid it leaves nothing behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "by_hand.h"
#include "check.h"
#include "producer/handle.h"
#include "transport/local/socket.h"

/* A machine on which a MiB takes 20 ms, by a clock that tells nothing else. */
#define SLOW_NS(len) ((int64_t)(len) / 1024 * 20000)
/* What one call may take: the slice, and the piece that it ends with. */
#define LONGEST_NS 12000000

#define LARGE (UINT64_C(4) << 20)

static int64_t now = 1000000000;
static int64_t taken, given; /* bytes */
static int64_t room = INT64_MAX;
static uint64_t said_room = 1 << 30;

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_posix_fallocate(int fd, off_t at, off_t len);
int __wrap_fallocate(int fd, int mode, off_t at, off_t len);
int __real_posix_fallocate(int fd, off_t at, off_t len);
int __real_fallocate(int fd, int mode, off_t at, off_t len);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
    (void)clock;
    *ts = (struct timespec){now / 1000000000, now % 1000000000};
    return 0;
}

int __wrap_posix_fallocate(int fd, off_t at, off_t len)
{
    now += SLOW_NS(len);
    if (taken + len > room)
        return ENOSPC;
    taken += len;
    return __real_posix_fallocate(fd, at, len);
}

int __wrap_fallocate(int fd, int mode, off_t at, off_t len)
{
    now += SLOW_NS(len);
    given += len;
    return __real_fallocate(fd, mode, at, len);
}

static struct vmring_producer *producer;

static int count_descriptors(void)
{
    int nr = 0;

    for (int fd = 0; fd < 256; fd++)
        nr += fcntl(fd, F_GETFD) >= 0;
    return nr;
}

static int consumer(void)
{
    int ends[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
                        0, ends),
             0);
    CHECK_EQ(vmring_producer_serve_fd(producer, ends[0]), 0);
    return ends[1];
}

static void send_to(int fd, uint32_t type, const void *body, size_t len)
{
    CHECK_EQ(socket_send(fd, type, body, len, NULL, 0), 0);
}

static int proposes(uint64_t async_len)
{
    int fd = consumer();

    by_hand_propose(fd, async_len, 1);
    return fd;
}

/* -1: it has no answer. */
static int result(int fd)
{
    struct vmring_local_accept accept;
    uint32_t type = 0;
    int ret = socket_recv(fd, &type, &accept, sizeof(accept), NULL, 0, NULL);

    if (ret == -EAGAIN)
        return -1;
    CHECK_EQ(ret, (int)sizeof(accept));
    return (int)accept.body.result;
}

static bool has_more_to_do(void)
{
    struct pollfd pfd = {.fd = vmring_producer_fd(producer), .events = POLLIN};

    return poll(&pfd, 1, 0) == 1;
}

static void turn(void)
{
    struct vmring_verdict verdict;
    int64_t began = now;

    (void)vmring_producer_dispatch(producer);
    while (vmring_producer_collect(producer, &verdict) == 1)
        ;
    CHECK(now - began <= LONGEST_NS);
}

/* Until there is an answer. */
static unsigned int turns_until(int fd, int expected)
{
    unsigned int nr = 0;
    int got;

    while ((got = result(fd)) < 0) {
        CHECK(has_more_to_do());
        turn();
        nr++;
    }
    CHECK_EQ(got, expected);
    return nr;
}

static void settle(void)
{
    while (has_more_to_do())
        turn();
}

static void leaves(int fd)
{
    send_to(fd, VMRING_LOCAL_DRAINED, NULL, 0);
    send_to(fd, VMRING_LOCAL_DETACH, NULL, 0);
    close(fd);
    settle();
    CHECK(!vmring_producer_attached(producer));
}

/* It has gone before it can be handed anything, in the first epoch. */
static void gone_at_once(uint64_t async_len)
{
    int held = count_descriptors();

    close(proposes(async_len));
    turn();
    settle();
    CHECK(!vmring_producer_attached(producer));
    CHECK_EQ(count_descriptors(), held);
}

static void bit_by_bit(void)
{
    int fd = proposes(LARGE), other;

    CHECK(turns_until(fd, XEN_VM_RING_ACCEPTED) >= LARGE / 2 / (512 * 1024));
    CHECK(vmring_producer_attached(producer));
    CHECK(taken >= (int64_t)LARGE / 2);
    leaves(fd);
    /* Its P is frozen, and goes when somebody has drained it. */
    given = 0;
    other = proposes(0);
    turns_until(other, XEN_VM_RING_ACCEPTED);
    leaves(other);
    CHECK(given >= (int64_t)LARGE / 2);
}

static void others_amid_it(void)
{
    int fd = proposes(LARGE), other, late;

    turn();
    other = proposes(0);
    CHECK_EQ(turns_until(other, XEN_VM_RING_REFUSED_BUSY), 1);
    CHECK_EQ(result(fd), -1);
    close(other);
    /* Those without a word do not take its place. */
    for (int i = 0; i < 2 * MAX_PEERS; i++) {
        late = consumer();
        turn();
        close(late);
    }
    turns_until(fd, XEN_VM_RING_ACCEPTED);
    leaves(fd);
}

static void leaving_amid_it(void)
{
    int fd = proposes(LARGE);
    int held = count_descriptors(), other;

    given = taken = 0;
    turn();
    turn();
    CHECK(taken > 0 && taken < (int64_t)LARGE);
    close(fd);
    settle();
    CHECK(given >= taken);
    CHECK(count_descriptors() <= held - 2);
    other = proposes(0);
    turns_until(other, XEN_VM_RING_ACCEPTED);
    leaves(other);
}

/* Memory that is on its way back is there for the next one. */
static void memory_amid_going(void)
{
    int fd = proposes(LARGE), other;

    turns_until(fd, XEN_VM_RING_ACCEPTED);
    leaves(fd);
    other = proposes(0);
    turns_until(other, XEN_VM_RING_ACCEPTED);
    send_to(other, VMRING_LOCAL_DRAINED, NULL, 0);
    send_to(other, VMRING_LOCAL_DETACH, NULL, 0);
    close(other);
    turn();
    said_room = 256 * 1024;
    fd = proposes(LARGE / 4);
    turns_until(fd, XEN_VM_RING_ACCEPTED);
    said_room = 1 << 30;
    leaves(fd);
}

static void memory_short_amid_it(void)
{
    int fd = proposes(LARGE), other;

    given = taken = 0;
    room = LARGE / 2;
    turns_until(fd, XEN_VM_RING_REFUSED_MEMORY);
    room = INT64_MAX;
    close(fd);
    settle();
    CHECK(given >= taken);
    other = proposes(0);
    turns_until(other, XEN_VM_RING_ACCEPTED);
    leaves(other);
}

static void target_gone_amid_it(void)
{
    int fd = proposes(LARGE);

    given = taken = 0;
    turn();
    vmring_producer_set_target_state(producer, XEN_VM_RING_TARGET_DESTROYED, 0);
    turns_until(fd, XEN_VM_RING_REFUSED_TARGET);
    close(fd);
    settle();
    CHECK(given >= taken);
}

static uint64_t say_room(void *ctx)
{
    (void)ctx;
    return said_room;
}

int main(void)
{
    struct vmring_producer_ops ops = {.size = sizeof(ops), .room = say_room};
    struct vmring_producer_opts opts = {.size = sizeof(opts),
                                        .ops = &ops,
                                        .nr_vcpus = 1,
                                        .arch = XEN_VM_RING_ARCH_X86};
    int stays, held;

    held = count_descriptors();
    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    /* While there is one, it serves. */
    stays = consumer();
    gone_at_once(0);
    gone_at_once(LARGE);
    bit_by_bit();
    others_amid_it();
    leaving_amid_it();
    memory_amid_going();
    memory_short_amid_it();
    target_gone_amid_it();
    /* Closed amid it. */
    CHECK(proposes(LARGE) >= 0);
    turn();
    vmring_producer_close(producer, NULL, NULL);
    close(stays);
    CHECK_EQ(count_descriptors(), held + 1);
    return 0;
}
