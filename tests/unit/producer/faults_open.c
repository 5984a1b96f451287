/* SPDX-License-Identifier: MIT */
/*
 * Description: a producer that cannot be made, for lack of memory or of
 * descriptors, says so and keeps nothing.
 */
#include "faults.h"

#include "vmring.h"

static struct vmring_producer *producer;

static int open_one(void)
{
    struct vmring_producer_opts opts = {
        .size = sizeof(opts),
        .nr_vcpus = 2,
        .arch = XEN_VM_RING_ARCH_X86,
        .foreign = true,
    };

    producer = NULL;
    return vmring_producer_open(&opts, &producer);
}

static void close_it(void)
{
    vmring_producer_close(producer, NULL, NULL);
}

int main(void)
{
    static const struct walk walk = {.op = open_one, .settle = close_it};

    CHECK(faults_walk(&walk) > 3);
    return 0;
}
