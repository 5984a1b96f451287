/* SPDX-License-Identifier: MIT */
/*
 * peer.c: a producer that an agent must put up with.
 *
 *   peer SOCKET name          its target's name is not for a terminal
 *   peer SOCKET refusal       nor is why it refuses to arm events
 *   peer SOCKET quiet         never says that the target is quiet
 *   peer SOCKET counts        does, and tells no counts
 *   peer SOCKET arming        never has done arming; says when it may stop
 *
 * It pushes CPUIDs while they are armed, until it is killed.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../libvmring/vmring.h"

#define EVIL                                                                   \
    "x\033[31m\007\nvmring-agent: a forged line\r\033]0;t\303\251\377\177\\"

static const char *mode;
static unsigned int armed;
static bool disarmed;

static void subscribe(void *ctx, const struct vmring_spec *specs,
                      unsigned int nr, int *results, char *error,
                      size_t error_len)
{
    int refused = !strcmp(mode, "refusal");

    if (!strcmp(mode, "arming")) {
        puts(nr ? "arming" : "disarmed");
        fflush(stdout);
    }
    disarmed = armed && !nr;
    armed = refused ? 0 : nr;
    (void)ctx;
    (void)specs;
    for (unsigned int i = 0; i < nr; i++)
        results[i] = refused ? VMRING_SPEC_UNSUPPORTED : VMRING_SPEC_ARMED;
    if (refused && nr)
        snprintf(error, error_len, "%s", EVIL);
}

static bool arming(void *ctx)
{
    (void)ctx;
    return armed && !strcmp(mode, "arming");
}

static bool quiet(void *ctx)
{
    (void)ctx;
    return strcmp(mode, "quiet") != 0;
}

static const struct vmring_producer_ops ops = {
    .size = sizeof(ops),
    .subscribe = subscribe,
    .arming = arming,
    .quiet = quiet,
};

static void turn(struct vmring_producer *producer)
{
    struct xen_vm_ring_event event = {
        .reason = XEN_VM_RING_REASON_CPUID,
        .length = XEN_VM_RING_EVENT_HEAD,
    };
    struct pollfd pfd = {.fd = vmring_producer_fd(producer), .events = POLLIN};
    struct vmring_verdict verdict;

    (void)poll(&pfd, 1, 5);
    (void)vmring_producer_dispatch(producer);
    if (armed && vmring_producer_attached(producer))
        (void)vmring_producer_push(producer, 0, &event);
    /* Before all is collected no counts are told. */
    if (!disarmed || strcmp(mode, "counts") != 0)
        while (vmring_producer_collect(producer, &verdict) == 1)
            ;
    vmring_producer_flush(producer);
}

int main(int argc, char **argv)
{
    struct vmring_producer_opts opts = {
        .size = sizeof(opts),
        .ops = &ops,
        .target = "guest",
        .nr_vcpus = 1,
        .arch = XEN_VM_RING_ARCH_X86,
    };
    struct vmring_producer *producer;
    char uri[128];
    int err;

    if (argc != 3)
        return 2;
    mode = argv[2];
    if (!strcmp(mode, "name"))
        opts.target = EVIL;
    snprintf(uri, sizeof(uri), "local:%s", argv[1]);
    err = vmring_producer_open(&opts, &producer);
    if (!err)
        err = vmring_producer_serve(producer, uri, 0);
    if (err) {
        fprintf(stderr, "peer: %s\n", strerror(-err));
        return 1;
    }
    puts("serving");
    fflush(stdout);
    for (;;)
        turn(producer);
}
