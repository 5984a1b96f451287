/* SPDX-License-Identifier: MIT */
/*
 * cc -o deny_cr4 deny_cr4.c $(pkg-config --cflags --libs vmring)
 *
 * deny_cr4 ENDPOINT BITS: the guest cannot change these bits of CR4.  A
 * policy of one rule: the right that it needs is asked for by name, every
 * other write gets the neutral verdict.
 *
 *   deny_cr4 sim:vcpus=2,cr4=10 0x4
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vmring.h>

#define INDEX_CR4 2 /* VM_EVENT_X86_CR4 of xen/vm_event.h */

static void judge(const struct vmring_event *event, uint64_t bits,
                  struct xen_vm_ring_response *response)
{
    const struct xen_vm_ring_write_ctrlreg *cr = &event->rec.u.write_ctrlreg;

    vmring_neutral(event, response);
    if (event->rec.reason != XEN_VM_RING_REASON_WRITE_CTRLREG ||
        cr->index != INDEX_CR4 || !((cr->old_value ^ cr->new_value) & bits))
        return;
    response->flags |= XEN_VM_RING_FLAG_DENY;
}

/* 0: wait; else why there will be no more.  Counts what was denied. */
static int drain(struct vmring *ring, uint64_t bits, uint64_t *denied)
{
    struct xen_vm_ring_response response;
    struct vmring_event event;
    int ret;

    while ((ret = vmring_next(ring, &event)) > 0) {
        if (ret == VMRING_NEXT_TARGET || !event.seq)
            continue; /* or left behind by an agent before us: too late */
        judge(&event, bits, &response);
        if (vmring_respond(ring, &event, &response) == 0 &&
            (response.flags & XEN_VM_RING_FLAG_DENY))
            (*denied)++;
    }
    return ret;
}

int main(int argc, char **argv)
{
    char error[256] = "";
    struct vmring_opts opts = {
        .size = sizeof(opts),
        .verdicts = XEN_VM_RING_VERDICT_DENY,
        .error = error,
        .error_len = sizeof(error),
    };
    uint64_t bits, denied = 0;
    struct vmring *ring;
    int ret;

    if (argc != 3 || !(bits = strtoull(argv[2], NULL, 0)))
        errx(2, "usage: deny_cr4 ENDPOINT BITS");
    ret = vmring_open(argv[1], &opts, &ring);
    if (ret < 0)
        errx(1, "%s", error[0] ? error : strerror(-ret));
    ret = vmring_subscribe(ring, "cr4:sync", NULL, error, sizeof(error));
    if (ret < 0) {
        vmring_close(ring);
        errx(1, "%s", error[0] ? error : strerror(-ret));
    }
    while ((ret = drain(ring, bits, &denied)) == 0) {
        struct pollfd bell = {.fd = vmring_fd(ring), .events = POLLIN};

        poll(&bell, 1, -1);
    }
    vmring_close(ring);
    if (ret != -ESRCH)
        errx(1, "lost the producer: %s", strerror(-ret));
    printf("denied %" PRIu64 "\n", denied);
    return 0;
}
