/* SPDX-License-Identifier: MIT */
/*
 * Description: a request that there is no memory for is not posted, counts
 * nowhere, and all others get their one verdict.
 */
#include "pair.h"

#include <errno.h>

#include "core/slot.h"

/* What exceeds the ring's own queue of a vCPU takes memory. */
#define ALL 24

int main(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct xen_vm_ring_event event = pair_event(XEN_VM_RING_REASON_CPUID, 0);
    struct vmring_producer_stats stats = {.size = sizeof(stats)};
    struct holding before = faults_holding();
    unsigned int refused = 0, verdicts = 0;
    struct vmring_verdict verdict;
    struct fault fault = {0};
    struct pair pair;

    pair_make(&pair, &opts);
    for (uint64_t i = 0; i < ALL; i++) {
        faults_arm(1);
        if (vmring_producer_post(pair.producer, &event, i) == -ENOMEM) {
            refused++;
            CHECK(i >= VMR_FIFO);
            faults_disarm(&fault);
            CHECK_STR(fault.call, "realloc");
            CHECK_EQ(vmring_producer_post(pair.producer, &event, i), 0);
        }
        faults_disarm(&fault);
    }
    CHECK_EQ(refused, 3); /* for 8, for 16, for 32 */
    CHECK_EQ(vmring_producer_pending(pair.producer), ALL);
    CHECK_EQ(vmring_producer_timeout(pair.producer), 0);
    vmring_producer_release(pair.producer);
    while (vmring_producer_collect(pair.producer, &verdict) == 1)
        verdicts++;
    CHECK_EQ(verdicts, ALL);
    CHECK_EQ(vmring_producer_get_stats(pair.producer, &stats), 0);
    CHECK_EQ(stats.requests, ALL);
    CHECK_EQ(stats.by_overflow, ALL - VMR_FIFO);
    CHECK_EQ(stats.by_detach, VMR_FIFO);
    pair_end(&pair);
    faults_check_holding(&before, &fault);
    return 0;
}
