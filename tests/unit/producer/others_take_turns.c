/* SPDX-License-Identifier: MIT */
/*
 * Description: however many come at once, and however long each of them takes,
 * one call does no more than is documented, the attached consumer is heard in
 * each, and all have their turn.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "by_hand.h"
#include "check.h"
#include "producer/handle.h"
#include "transport/local/socket.h"

/* Each comes, and each message is received, in this time of our clock. */
#define SLOW_NS 15000000
/* Two of them before the 20 ms of vmring.h are over, and one more for each of
 * who is attached and who has the turn in any case; the messages of one. */
#define LONGEST_NS 90000000

static int64_t now = 1000000000;
static int64_t slow;

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);
int __real_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
ssize_t __real_recvmsg(int fd, struct msghdr *msg, int flags);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
    (void)clock;
    *ts = (struct timespec){now / 1000000000, now % 1000000000};
    return 0;
}

int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    now += slow;
    return __real_accept4(fd, addr, len, flags);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
    now += slow;
    return __real_recvmsg(fd, msg, flags);
}

static struct vmring_producer *producer;
static char uri[80], *const path = uri + sizeof("local:") - 1;

static int attaches(void)
{
    int fd = by_hand_connect(path, SOCK_NONBLOCK);

    by_hand_propose(fd, 0, 1);
    CHECK_EQ(vmring_producer_dispatch(producer), 0);
    CHECK(vmring_producer_attached(producer));
    return fd;
}

/* How many of them were hung up on. */
static int nr_gone(const int *fds)
{
    int nr = 0;

    for (int i = 0; i < MAX_PEERS - 1; i++) {
        char byte;

        nr += read(fds[i], &byte, 1) == 0;
    }
    return nr;
}

static void drain(int fd)
{
    char bytes[4096];

    while (read(fd, bytes, sizeof(bytes)) > 0)
        ;
}

int main(void)
{
    struct vmring_producer_opts opts = {
        .size = sizeof(opts), .nr_vcpus = 1, .arch = XEN_VM_RING_ARCH_X86};
    int fds[MAX_PEERS - 1], attached, calls = 0;

    snprintf(uri, sizeof(uri), "local:/tmp/vmring-test-%d.sock", (int)getpid());
    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    CHECK_EQ(vmring_producer_serve(producer, uri, 0), 0);
    attached = attaches();
    drain(attached);
    for (int i = 0; i < MAX_PEERS - 1; i++) {
        fds[i] = by_hand_connect(path, SOCK_NONBLOCK);
        CHECK_EQ(send(fds[i], "what?", 5, MSG_NOSIGNAL), 5);
    }
    slow = SLOW_NS;
    while (nr_gone(fds) < MAX_PEERS - 1) {
        int64_t began = now;
        struct pollfd heard = {.fd = attached, .events = POLLIN};

        CHECK_EQ(
            socket_send(attached, VMRING_LOCAL_SUPPORTED, NULL, 0, NULL, 0), 0);
        CHECK_EQ(vmring_producer_dispatch(producer), 0);
        CHECK(now - began <= LONGEST_NS);
        CHECK_EQ(poll(&heard, 1, 0), 1);
        drain(attached);
        CHECK(calls++ < 100);
    }
    CHECK(calls > 1);
    vmring_producer_close(producer, NULL, NULL);
    return 0;
}
