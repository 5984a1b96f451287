/* SPDX-License-Identifier: MIT */
/*
 * Description: a producer begins on a cache line, as what is in it does that
 * vCPUs read apart from what others write.
 */
#include "check.h"
#include "producer/handle.h"

int main(void)
{
    struct vmring_producer_opts opts = {
        .size = sizeof(opts),
        .nr_vcpus = 2,
        .arch = XEN_VM_RING_ARCH_X86,
    };
    struct vmring_producer *producer;

    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    CHECK_EQ((uintptr_t)producer % XEN_VM_RING_LINE, 0);
    CHECK_EQ((uintptr_t)&producer->core.bells[1].requests % XEN_VM_RING_LINE,
             0);
    vmring_producer_close(producer, NULL, NULL);
    return 0;
}
