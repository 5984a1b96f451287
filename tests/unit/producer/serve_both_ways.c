/* SPDX-License-Identifier: MIT */
/*
 * Description: a producer serves nothing, one connection, a path, or both, in
 * any order; what could not be served leaves the rest as it was.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "vmring.h"

static struct vmring_producer *producer;

static void make(void)
{
    struct vmring_producer_opts opts = {
        .size = sizeof(opts), .nr_vcpus = 1, .arch = XEN_VM_RING_ARCH_X86};

    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
}

/* Serves one end; the other is returned. */
static int one(void)
{
    int ends[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    CHECK_EQ(vmring_producer_serve_fd(producer, ends[0]), 0);
    return ends[1];
}

int main(void)
{
    char uri[80];
    int fd;

    snprintf(uri, sizeof(uri), "local:/tmp/vmring-test-%d.sock", (int)getpid());
    make();
    /* Nothing. */
    CHECK_EQ(vmring_producer_dispatch(producer), -EBADF);
    CHECK_EQ(vmring_producer_serve_fd(producer, 1000), -EBADF);
    CHECK_EQ(vmring_producer_dispatch(producer), -EBADF);
    vmring_producer_dismiss(producer); /* nobody */
    CHECK_EQ(vmring_producer_serve(producer, "local:/no/such/folder", 0),
             -ENOENT);
    CHECK_EQ(vmring_producer_dispatch(producer), -EBADF);
    /* One, and no other way there; then a path besides. */
    fd = one();
    CHECK_EQ(vmring_producer_serve_fd(producer, 1000), -EBADF);
    CHECK_EQ(vmring_producer_serve(producer, "local:/no/such/folder", 0),
             -ENOENT);
    CHECK_EQ(vmring_producer_serve(producer, "grant:0/5", 0), -EINVAL);
    CHECK_EQ(vmring_producer_dispatch(producer), 0);
    CHECK_EQ(vmring_producer_serve(producer, uri, 0), 0);
    CHECK_EQ(vmring_producer_serve(producer, uri, 0), -EINVAL);
    CHECK_EQ(vmring_producer_dispatch(producer), 0);
    close(fd);
    CHECK_EQ(vmring_producer_dispatch(producer), 0);
    vmring_producer_close(producer, NULL, NULL);

    /* One alone, until it has gone; then another. */
    make();
    close(one());
    CHECK_EQ(vmring_producer_dispatch(producer), -EBADF);
    fd = one();
    CHECK_EQ(vmring_producer_dispatch(producer), 0);
    close(fd);
    CHECK_EQ(vmring_producer_dispatch(producer), -EBADF);
    vmring_producer_close(producer, NULL, NULL);
    return 0;
}
