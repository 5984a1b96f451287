/* SPDX-License-Identifier: MIT */
/*
 * vmring-lab-go-on ENDPOINT EVENT: each such event is twice let go on with
 * nothing done, and must come again from the same place; then it gets the
 * neutral verdict.  Says when it has attached, and at the end how many events
 * came, and how many of them it let go on.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "libvmring/vmring.h"

#define TIMES 2

static struct {
    uint64_t rip;
    unsigned int times; /* that it went on from there */
} at[XEN_VM_RING_MAX_VCPUS];

static unsigned int nr_events, nr_went_on;

static void answer(struct vmring *ring, const struct vmring_event *event)
{
    struct xen_vm_ring_response response;
    uint64_t rip = event->rec.regs.x86.rip;
    uint32_t v = event->lane;

    if (at[v].times && at[v].rip != rip)
        errx(1, "vCPU %u went on from %#llx to %#llx", v,
             (unsigned long long)at[v].rip, (unsigned long long)rip);
    nr_events++;
    vmring_neutral(event, &response);
    at[v].rip = rip;
    if (at[v].times++ < TIMES) {
        response.flags = XEN_VM_RING_FLAG_CONTINUE;
        nr_went_on++;
    } else {
        at[v].times = 0;
    }
    if (vmring_respond(ring, event, &response) < 0)
        errx(1, "the answer is refused");
}

int main(int argc, char **argv)
{
    char error[256] = "";
    struct vmring_opts opts = {
        .size = sizeof(opts),
        .verdicts = XEN_VM_RING_VERDICT_CONTINUE,
        .error = error,
        .error_len = sizeof(error),
    };
    struct vmring_limits limits = {.size = sizeof(limits)};
    struct vmring_info info = {.size = sizeof(info)};
    struct vmring_event event;
    struct vmring *ring;
    int ret;

    if (argc != 3)
        errx(2, "usage: vmring-lab-go-on ENDPOINT EVENT");
    if (vmring_ask(argv[1], &opts, &limits) < 0 || limits.would < 0)
        errx(1, "%s", error);
    if (!(limits.verdicts & XEN_VM_RING_VERDICT_CONTINUE))
        errx(1, "it would not be granted: %#x", limits.verdicts);
    if (vmring_open(argv[1], &opts, &ring) < 0 ||
        vmring_subscribe(ring, argv[2], NULL, error, sizeof(error)) < 0)
        errx(1, "%s", error);
    if (vmring_get_info(ring, &info) < 0 ||
        info.source != XEN_VM_RING_SOURCE_XEN ||
        info.version != XEN_VM_RING_VERSION)
        errx(1, "source %u, version %#x", info.source, info.version);
    puts("attached");
    fflush(stdout);
    while ((ret = vmring_next(ring, &event)) >= 0) {
        struct pollfd bell = {.fd = vmring_fd(ring), .events = POLLIN};

        if (ret == 0)
            poll(&bell, 1, -1);
        else if (ret != VMRING_NEXT_TARGET && event.seq)
            answer(ring, &event);
    }
    if (ret != -ESRCH)
        errx(1, "lost the producer: %s", strerror(-ret));
    vmring_close(ring);
    printf("events=%u went_on=%u\n", nr_events, nr_went_on);
    return 0;
}
