/* SPDX-License-Identifier: MIT */
/*
 * Description: more who connect at once than a producer has places for: it
 * takes no more than that in one call, and the next has the place of the first;
 * of the user who has the most places, if there is more than one.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "by_hand.h"
#include "check.h"
#include "producer/handle.h"
#include "transport/local/socket.h"

/* All but those before `first` are connected. */
static void check(const int *fds, int first)
{
    for (int i = 0; i <= MAX_PEERS; i++) {
        char byte;

        errno = 0;
        CHECK_EQ(read(fds[i], &byte, 1), i < first ? 0 : -1);
        CHECK_EQ(errno, i < first ? 0 : EAGAIN);
    }
}

/* On a busy machine it takes fewer in one call. */
static void settle(struct vmring_producer *producer)
{
    struct pollfd pfd = {.fd = vmring_producer_fd(producer), .events = POLLIN};

    do {
        CHECK_EQ(vmring_producer_dispatch(producer), 0);
    } while (poll(&pfd, 1, 0) == 1);
}

/* A user who connects without end: only root can be two here. */
static void crowd(struct vmring_producer *producer, const char *path)
{
    int fds[3 * MAX_PEERS], ours = -1;
    char byte;

    for (int i = 0; i < 3 * MAX_PEERS; i++) {
        if (i == MAX_PEERS + 2)
            ours = by_hand_connect(path, SOCK_NONBLOCK);
        CHECK_EQ(seteuid(65534), 0);
        fds[i] = by_hand_connect(path, SOCK_NONBLOCK);
        CHECK_EQ(seteuid(0), 0);
        settle(producer);
    }
    CHECK_EQ(read(ours, &byte, 1), -1);
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(read(fds[2 * MAX_PEERS], &byte, 1), 0);
    CHECK_EQ(read(fds[3 * MAX_PEERS - 1], &byte, 1), -1);
    close(ours);
    for (int i = 0; i < 3 * MAX_PEERS; i++)
        close(fds[i]);
    settle(producer);
}

int main(void)
{
    struct vmring_producer_opts opts = {
        .size = sizeof(opts), .nr_vcpus = 1, .arch = XEN_VM_RING_ARCH_X86};
    struct vmring_producer *producer;
    struct pollfd pfd = {.events = POLLIN};
    int fds[MAX_PEERS + 1];
    char uri[80];

    snprintf(uri, sizeof(uri), "local:/tmp/vmring-test-%d.sock", (int)getpid());
    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    CHECK_EQ(vmring_producer_serve(producer, uri, 0666), 0);
    for (int i = 0; i <= MAX_PEERS; i++)
        fds[i] = by_hand_connect(uri + 6, SOCK_NONBLOCK);
    CHECK_EQ(vmring_producer_dispatch(producer), 0);
    check(fds, 0);
    pfd.fd = vmring_producer_fd(producer);
    CHECK_EQ(poll(&pfd, 1, 0), 1);
    settle(producer);
    check(fds, 1);
    for (int i = 0; i <= MAX_PEERS; i++)
        close(fds[i]);
    settle(producer);
    if (geteuid() == 0)
        crowd(producer, uri + 6);
    vmring_producer_close(producer, NULL, NULL);
    return 0;
}
