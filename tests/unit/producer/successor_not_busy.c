/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer that takes over from one that died is accepted, even
 * if both are noticed in one dispatch, in whichever place it sits.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vmring_local.h>

#include "by_hand.h"
#include "check.h"
#include "transport/local/socket.h"
#include "vmring.h"

static char path[64];

static void turn(struct vmring_producer *producer)
{
    struct pollfd pfd = {.fd = vmring_producer_fd(producer), .events = POLLIN};
    struct vmring_verdict verdict;

    /* On a busy machine not all is done in one of them. */
    do {
        CHECK_EQ(vmring_producer_dispatch(producer), 0);
        while (vmring_producer_collect(producer, &verdict) == 1)
            ;
    } while (poll(&pfd, 1, 0) == 1);
}

static uint32_t result(int fd)
{
    struct vmring_local_accept accept;
    uint32_t type = 0;

    CHECK_EQ(socket_recv(fd, &type, &accept, sizeof(accept), NULL, 0, NULL),
             (int)sizeof(accept));
    CHECK_EQ(type, VMRING_LOCAL_ACCEPT);
    return accept.body.result;
}

int main(void)
{
    struct vmring_producer_opts opts = {
        .size = sizeof(opts), .nr_vcpus = 1, .arch = XEN_VM_RING_ARCH_X86};
    struct vmring_producer *producer;
    char uri[80];
    int first, dead, next;

    snprintf(path, sizeof(path), "/tmp/vmring-test-%d.sock", (int)getpid());
    snprintf(uri, sizeof(uri), "local:%s", path);
    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    CHECK_EQ(vmring_producer_serve(producer, uri, 0), 0);

    first = by_hand_connect(
        path, 0); /* keeps the lower place while the other attaches */
    dead = by_hand_connect(path, 0);
    by_hand_propose(dead, 0, 1);
    turn(producer);
    CHECK_EQ(result(dead), XEN_VM_RING_ACCEPTED);
    close(first);
    turn(producer);

    next = by_hand_connect(path, 0);
    by_hand_propose(next, 0, 1);
    close(dead);
    turn(producer);
    turn(producer);
    CHECK_EQ(result(next), XEN_VM_RING_ACCEPTED);
    CHECK(vmring_producer_attached(producer));

    /* One that is alive is in the way. */
    first = by_hand_connect(path, 0);
    by_hand_propose(first, 0, 1);
    turn(producer);
    CHECK_EQ(result(first), XEN_VM_RING_REFUSED_BUSY);
    vmring_producer_close(producer, NULL, NULL);
    return 0;
}
