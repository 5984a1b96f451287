/* SPDX-License-Identifier: MIT */
/*
 * Description: a producer that has no descriptor left turns a consumer away,
 * and its loop sleeps again; it would be readable for ever otherwise.  One that
 * has not even that one to spare lets it wait, and takes it when it can.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "by_hand.h"
#include "check.h"
#include "transport/local/socket.h"
#include "vmring.h"

int main(void)
{
    struct vmring_producer_opts opts = {
        .size = sizeof(opts), .nr_vcpus = 1, .arch = XEN_VM_RING_ARCH_X86};
    struct rlimit limit = {64, 64};
    struct vmring_producer *producer;
    struct pollfd pfd = {.events = POLLIN};
    char uri[80], byte;
    int fd, waits, last = -1;

    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    snprintf(uri, sizeof(uri), "local:/tmp/vmring-test-%d.sock", (int)getpid());
    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    CHECK_EQ(vmring_producer_serve(producer, uri, 0), 0);
    fd = by_hand_connect(uri + 6, SOCK_NONBLOCK);
    for (int next; (next = open("/dev/null", O_RDONLY)) >= 0;)
        last = next;
    CHECK_EQ(errno, EMFILE);

    CHECK_EQ(vmring_producer_dispatch(producer), 0);
    pfd.fd = vmring_producer_fd(producer);
    CHECK_EQ(poll(&pfd, 1, 0), 0);
    CHECK_EQ(read(fd, &byte, 1), 0);

    close(fd);
    waits = by_hand_connect(uri + 6, SOCK_NONBLOCK);
    limit.rlim_cur = 3;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(vmring_producer_dispatch(producer), 0);
    CHECK_EQ(read(waits, &byte, 1), -1);
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(poll(&pfd, 1, 0), 1);
    limit.rlim_cur = 64;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    close(last);
    CHECK_EQ(vmring_producer_dispatch(producer), 0);
    CHECK_EQ(poll(&pfd, 1, 0), 0);
    CHECK_EQ(read(waits, &byte, 1), -1);
    CHECK_EQ(errno, EAGAIN);
    vmring_producer_close(producer, NULL, NULL);
    return 0;
}
