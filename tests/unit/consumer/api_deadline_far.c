/* SPDX-License-Identifier: MIT */
/*
 * Description: a deadline beyond the end of time is none, not one that has
 * passed already.
 */
#include "check.h"
#include "vmring.h"

static void pends(uint64_t deadline)
{
    struct vmring_producer_opts opts = {.size = sizeof(opts),
                                        .nr_vcpus = 1,
                                        .arch = XEN_VM_RING_ARCH_X86,
                                        .deadline_ns = deadline};
    struct xen_vm_ring_event event = {.reason = XEN_VM_RING_REASON_CPUID,
                                      .length = XEN_VM_RING_EVENT_HEAD};
    struct vmring_producer *producer;
    struct vmring_verdict verdict;

    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    CHECK_EQ(vmring_producer_post(producer, &event, 5), 0);
    CHECK_EQ(vmring_producer_collect(producer, &verdict), 0);
    CHECK_EQ(vmring_producer_pending(producer), 1);
    vmring_producer_close(producer, NULL, NULL);
}

int main(void)
{
    pends(0);
    pends(1ULL << 62);
    pends(UINT64_MAX);
    pends(UINT64_MAX - 1);
    pends(UINT64_MAX - 1000000000);
    return 0;
}
