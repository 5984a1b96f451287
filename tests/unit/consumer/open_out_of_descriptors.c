/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer that has no room for the descriptors of an
 * answer says so, and does not take the producer for a liar.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vmring_local.h>

#include "check.h"
#include "transport/local/socket.h"
#include "vmring.h"

static int open_with(int spare)
{
    int spares[16], ends[2], ret;
    struct vmring_producer_opts opts = {
        .size = sizeof(opts), .nr_vcpus = 1, .arch = XEN_VM_RING_ARCH_X86};
    struct xen_vm_ring_propose propose = {
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(propose),
        .version_min = XEN_VM_RING_VERSION,
        .version_max = XEN_VM_RING_VERSION,
        .nr_groups = 1,
    };
    struct vmring_producer *producer;
    struct vmring *ring;
    char uri[32];
    int full[64], nr = 0;

    /* The answer is there before the consumer asks. */
    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    CHECK_EQ(vmring_producer_serve_fd(producer, ends[0]), 0);
    CHECK_EQ(socket_send(ends[1], VMRING_LOCAL_PROPOSE, &propose,
                         sizeof(propose), NULL, 0),
             0);
    CHECK_EQ(vmring_producer_dispatch(producer), 0);
    for (int i = 0; i < spare; i++)
        spares[i] = open("/dev/null", O_RDONLY);
    while ((full[nr] = open("/dev/null", O_RDONLY)) >= 0)
        nr++;
    CHECK_EQ(errno, EMFILE);
    for (int i = 0; i < spare; i++)
        close(spares[i]);

    snprintf(uri, sizeof(uri), "fd:%d", ends[1]);
    ret = vmring_open(uri, NULL, &ring);
    if (!ret)
        vmring_close(ring);
    while (nr)
        close(full[--nr]);
    vmring_producer_close(producer, NULL, NULL);
    return ret;
}

int main(void)
{
    struct rlimit limit = {40, 40};
    int spare = 0;

    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (open_with(spare) == -EMFILE)
        spare++;
    /* An epoll, P, C, a doorbell, an epoll, an eventfd. */
    CHECK_EQ(spare, 6);
    CHECK_EQ(open_with(spare), 0);
    return 0;
}
