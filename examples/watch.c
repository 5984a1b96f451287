/* SPDX-License-Identifier: MIT */
/*
 * cc -o watch watch.c $(pkg-config --cflags --libs vmring)
 *
 * watch ENDPOINT EVENTS: prints what the vCPUs do until the target ends, and
 * lets every vCPU that waits go on with the neutral verdict.
 *
 *   watch sim:vcpus=2,count=10 'cpuid cr3:async'
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <vmring.h>

static void print(const struct vmring_event *event)
{
    const struct xen_vm_ring_event *rec = &event->rec;
    const char *reason = vmring_reason_name(rec->reason);

    if (event->lost_before)
        printf("vCPU %u: %" PRIu32 " events lost here\n", rec->vcpu,
               event->lost_before);
    printf("vCPU %u: %s%s", rec->vcpu, reason ? reason : "unknown",
           event->seq ? ", waits" : "");
    /* Records can be negotiated too small for registers. */
    if (rec->length == XEN_VM_RING_EVENT_FULL)
        printf(", rip 0x%" PRIx64, (uint64_t)rec->regs.x86.rip);
    printf("\n");
}

/* Everything that is there.  0: wait; else why there will be no more. */
static int drain(struct vmring *ring)
{
    struct xen_vm_ring_response response;
    struct vmring_event event;
    int ret;

    while ((ret = vmring_next(ring, &event)) > 0) {
        if (ret == VMRING_NEXT_TARGET)
            continue; /* event.target: paused, running... */
        if (event.seq) {
            /* First of all: its vCPU does nothing until then. */
            vmring_neutral(&event, &response);
            (void)vmring_respond(ring, &event, &response);
            vmring_flush(ring);
        }
        print(&event);
    }
    return ret;
}

int main(int argc, char **argv)
{
    char error[256] = "";
    struct vmring_opts opts = {
        .size = sizeof(opts),
        .error = error,
        .error_len = sizeof(error),
    };
    struct vmring *ring;
    int ret;

    if (argc != 3)
        errx(2, "usage: watch ENDPOINT EVENTS");
    ret = vmring_open(argv[1], &opts, &ring);
    if (ret < 0)
        errx(1, "%s", error[0] ? error : strerror(-ret));
    ret = vmring_subscribe(ring, argv[2], NULL, error, sizeof(error));
    if (ret < 0) {
        vmring_close(ring);
        errx(1, "%s", error[0] ? error : strerror(-ret));
    }
    while ((ret = drain(ring)) == 0) {
        struct pollfd bell = {.fd = vmring_fd(ring), .events = POLLIN};

        poll(&bell, 1, -1);
    }
    vmring_close(ring);
    if (ret != -ESRCH)
        errx(1, "lost the producer: %s", strerror(-ret));
    fprintf(stderr, "the target has ended\n");
    return 0;
}
