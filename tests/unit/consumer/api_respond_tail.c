/* SPDX-License-Identifier: MIT */
/*
 * Description: an answer that the producer would have to ignore, for the
 * length of its data, is refused while its giver can still be told.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "vmring.h"

static void dispatch(struct vmring_producer *producer)
{
    struct pollfd pfd = {vmring_producer_fd(producer), POLLIN, 0};

    CHECK_EQ(poll(&pfd, 1, 5000), 1);
    CHECK_EQ(vmring_producer_dispatch(producer), 0);
}

/* The consumer, a process of its own. */
static void answers_too_long_first(int control)
{
    struct vmring_opts wanted = {.size = sizeof(wanted),
                                 .verdicts = XEN_VM_RING_VERDICT_EMULATE};
    struct xen_vm_ring_response response;
    struct vmring_event got;
    struct vmring *ring;
    char uri[32];
    int ret;

    alarm(20);
    snprintf(uri, sizeof(uri), "fd:%d", control);
    CHECK_EQ(vmring_open(uri, &wanted, &ring), 0);
    while ((ret = vmring_next(ring, &got)) == 0) {
        struct pollfd pfd = {vmring_fd(ring), POLLIN, 0};

        (void)poll(&pfd, 1, 5000);
    }
    CHECK_EQ(ret, 1);
    vmring_neutral(&got, &response);
    response.flags = XEN_VM_RING_FLAG_SET_EMUL_READ_DATA;
    response.data.emul_read.size = XEN_VM_RING_REGS_LEN - 3;
    CHECK_EQ(vmring_respond(ring, &got, &response), -EINVAL);
    response.data.emul_read.size = XEN_VM_RING_REGS_LEN - 4;
    CHECK_EQ(vmring_respond(ring, &got, &response), 0);
    vmring_close(ring);
}

int main(void)
{
    struct vmring_producer_opts opts = {
        .size = sizeof(opts),
        .nr_vcpus = 1,
        .arch = XEN_VM_RING_ARCH_X86,
        .verdicts = XEN_VM_RING_VERDICT_EMULATE,
    };
    struct xen_vm_ring_event event = {
        .reason = XEN_VM_RING_REASON_MEM_ACCESS,
        .length = XEN_VM_RING_EVENT_HEAD,
    };
    struct vmring_producer *producer;
    struct vmring_verdict verdict;
    int ends[2];
    pid_t pid;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        answers_too_long_first(ends[1]);
        exit(0);
    }
    close(ends[1]);
    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    CHECK_EQ(vmring_producer_serve_fd(producer, ends[0]), 0);
    while (!vmring_producer_attached(producer))
        dispatch(producer);
    CHECK_EQ(vmring_producer_post(producer, &event, 1), 0);
    vmring_producer_flush(producer);
    while (!vmring_producer_collect(producer, &verdict))
        dispatch(producer);
    CHECK_EQ(verdict.by, VMRING_BY_CONSUMER);
    CHECK_EQ(verdict.response.data.emul_read.size, XEN_VM_RING_REGS_LEN - 4);
    vmring_producer_close(producer, NULL, NULL);
    return 0;
}
