/* SPDX-License-Identifier: MIT */
/*
 * Description: a producer that cannot be made, for lack of memory or of
 * descriptors, says so and keeps nothing.
 */
#include "faults.h"

#include <errno.h>

#include "vmring.h"

static int open_and_close(void *ctx)
{
    struct vmring_producer_opts opts = {
        .size = sizeof(opts),
        .nr_vcpus = 2,
        .arch = XEN_VM_RING_ARCH_X86,
        .foreign = 1,
    };
    struct vmring_producer *producer;
    int err = vmring_producer_open(&opts, &producer);

    (void)ctx;
    if (!err)
        vmring_producer_close(producer, NULL, NULL);
    return err;
}

int main(void)
{
    static const struct expectation as_they_are[] = {{0}};

    CHECK_EQ(faults_walk(open_and_close, NULL, 0, as_they_are), 6);
    return 0;
}
