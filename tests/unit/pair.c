/* SPDX-License-Identifier: MIT */
#include "pair.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>

static struct vmring_producer *waiting;
static const struct pair *now_served;

struct vmring_producer_opts pair_opts(void)
{
    struct vmring_producer_opts opts = {
        .size = sizeof(opts),
        .target = "pair",
        .nr_vcpus = 2,
        .arch = XEN_VM_RING_ARCH_X86,
        .verdicts = XEN_VM_RING_VERDICTS,
    };

    return opts;
}

void pair_serve(void)
{
    struct vmring_verdict verdict;

    struct pollfd pfd = {.fd = vmring_producer_fd(waiting), .events = POLLIN};

    (void)vmring_producer_dispatch(waiting);
    /* A ring may take several.  Not poll(), which serves when it waits. */
    for (int i = 0;
         i < (now_served->of_domain ? 4 : 64) &&
         (now_served->of_domain || !vmring_producer_attached(waiting)) &&
         ppoll(&pfd, 1, &(struct timespec){0}, NULL) == 1;
         i++)
        (void)vmring_producer_dispatch(waiting);
    while (vmring_producer_collect(waiting, &verdict) == 1)
        ;
}

void pair_make(struct pair *pair, const struct vmring_producer_opts *opts)
{
    *pair = (struct pair){0};
    CHECK_EQ(vmring_producer_open(opts, &pair->producer), 0);
    waiting = pair->producer;
    now_served = pair;
    faults_idle = pair_serve;
}

int pair_connect(struct pair *pair)
{
    int ends[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    CHECK_EQ(vmring_producer_serve_fd(pair->producer, ends[0]), 0);
    pair->served = ends[0];
    return ends[1];
}

void pair_attach(struct pair *pair, const struct vmring_opts *opts)
{
    char uri[32];

    snprintf(uri, sizeof(uri), "fd:%d", pair_connect(pair));
    CHECK_EQ(vmring_open(uri, opts, &pair->ring), 0);
}

void pair_end(struct pair *pair)
{
    vmring_close(pair->ring);
    vmring_producer_close(pair->producer, NULL, NULL);
    *pair = (struct pair){0};
    faults_idle = NULL;
}

struct xen_vm_ring_event pair_event(uint32_t reason, uint32_t vcpu)
{
    struct xen_vm_ring_event event;

    memset(&event, 0, sizeof(event));
    event.reason = (uint16_t)reason;
    event.vcpu = (uint16_t)vcpu;
    event.length = XEN_VM_RING_EVENT_HEAD;
    return event;
}
