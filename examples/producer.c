/* SPDX-License-Identifier: MIT */
/*
 * cc -o producer producer.c $(pkg-config --cflags --libs vmring)
 *
 * producer local:PATH COUNT: a target with one vCPU that executes CPUID
 * COUNT times, waiting for each verdict, and then shuts down.
 *
 *   producer local:/tmp/s 3 & watch local:/tmp/s cpuid
 */
#include <err.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <vmring.h>

static bool armed;

static void subscribe(void *ctx, const struct vmring_spec *specs,
                      unsigned int nr, int *results, char *error,
                      size_t error_len)
{
    (void)ctx;
    armed = nr > 0;
    for (unsigned int i = 0; i < nr; i++) {
        results[i] = VMRING_SPEC_ARMED;
        if (specs[i].reason == XEN_VM_RING_REASON_CPUID)
            continue;
        results[i] = VMRING_SPEC_UNSUPPORTED;
        strncpy(error, "this target raises cpuid and nothing else", error_len);
        armed = false;
    }
}

static void execute_cpuid(struct vmring_producer *producer, uint64_t nr)
{
    struct xen_vm_ring_event event = {
        .reason = XEN_VM_RING_REASON_CPUID,
        .length = XEN_VM_RING_EVENT_HEAD, /* no registers here */
        .u.cpuid = {.insn_len = 2, .leaf = (uint32_t)nr},
    };

    if (vmring_producer_post(producer, &event, nr) < 0)
        errx(1, "cannot post");
}

/* Until COUNT verdicts have come, and the consumer has seen the end. */
static void run(struct vmring_producer *producer, uint64_t count)
{
    struct vmring_verdict verdict;
    uint64_t posted = 0, done = 0;

    for (;;) {
        struct pollfd fd = {vmring_producer_fd(producer), POLLIN, 0};

        vmring_producer_dispatch(producer);
        if (armed && posted == done && posted < count)
            execute_cpuid(producer, posted++);
        vmring_producer_flush(producer);
        if (vmring_producer_collect(producer, &verdict) == 1) {
            if (++done == count)
                vmring_producer_set_target_state(
                    producer, XEN_VM_RING_TARGET_SHUTDOWN, 0);
            continue;
        }
        if (done == count && !vmring_producer_attached(producer))
            return;
        poll(&fd, 1, vmring_producer_timeout(producer));
    }
}

int main(int argc, char **argv)
{
    const struct vmring_producer_ops ops = {
        .size = sizeof(ops),
        .subscribe = subscribe,
    };
    struct vmring_producer_opts opts = {
        .size = sizeof(opts),
        .ops = &ops,
        .target = "example",
        .nr_vcpus = 1,
        .arch = XEN_VM_RING_ARCH_X86,
    };
    struct vmring_producer *producer;
    int ret;

    if (argc != 3)
        errx(2, "usage: producer local:PATH COUNT");
    ret = vmring_producer_open(&opts, &producer);
    if (ret == 0)
        ret = vmring_producer_serve(producer, argv[1], 0);
    if (ret < 0)
        errx(1, "%s: %s", argv[1], strerror(-ret));
    run(producer, strtoull(argv[2], NULL, 0));
    vmring_producer_close(producer, NULL, NULL);
    return 0;
}
