/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer that takes over from one that died is granted, even
 * if both are noticed in one dispatch, in whichever place it sits.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vmring_local.h>

#include "check.h"
#include "transport/local/socket.h"
#include "vmring.h"

static char path[64];

static int reach(void)
{
    struct sockaddr_un addr;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0);
    CHECK_EQ(socket_address(path, &addr), 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    return fd;
}

static void propose(int fd)
{
    struct xen_vm_ring_propose p = {
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(p),
        .version_min = XEN_VM_RING_VERSION,
        .version_max = XEN_VM_RING_VERSION,
        .nr_groups = 1,
    };

    CHECK_EQ(socket_send(fd, VMRING_LOCAL_PROPOSE, &p, sizeof(p), NULL, 0), 0);
}

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

    first = reach(); /* keeps the lower place while the other attaches */
    dead = reach();
    propose(dead);
    turn(producer);
    CHECK_EQ(result(dead), XEN_VM_RING_ACCEPTED);
    close(first);
    turn(producer);

    next = reach();
    propose(next);
    close(dead);
    turn(producer);
    turn(producer);
    CHECK_EQ(result(next), XEN_VM_RING_ACCEPTED);
    CHECK(vmring_producer_attached(producer));

    /* One that is alive is in the way. */
    first = reach();
    propose(first);
    turn(producer);
    CHECK_EQ(result(first), XEN_VM_RING_REFUSED_BUSY);
    vmring_producer_close(producer, NULL, NULL);
    return 0;
}
