/* SPDX-License-Identifier: MIT */
/*
 * Description: verdicts that the ring has no room for wait in any number, and
 * are collected, each once, also while others come.
 */
#include "check.h"
#include "vmring.h"

#define MANY 100000

static struct vmring_producer *producer;
static unsigned char seen[MANY + 1000];
static uint64_t posted, collected;

static void post(unsigned int nr)
{
    struct xen_vm_ring_event event = {.reason = XEN_VM_RING_REASON_CPUID,
                                      .length = XEN_VM_RING_EVENT_HEAD};

    while (nr--)
        CHECK_EQ(vmring_producer_post(producer, &event, posted++), 0);
}

/* Some requests wait for a consumer, until vmring_producer_release(). */
static void collect(unsigned int nr)
{
    struct vmring_verdict verdict;

    for (; nr && vmring_producer_collect(producer, &verdict) == 1; nr--) {
        CHECK(verdict.cookie < posted && !seen[verdict.cookie]);
        seen[verdict.cookie] = 1;
        collected++;
    }
}

int main(void)
{
    struct vmring_producer_opts opts = {.size = sizeof(opts),
                                        .target = "many",
                                        .nr_vcpus = 1,
                                        .arch = XEN_VM_RING_ARCH_X86};

    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    post(16);
    for (unsigned int i = 0; i < 50; i++) {
        collect(5);
        post(3 + i % 5);
    }
    collect(MANY);
    post(MANY);
    collect(MANY);
    vmring_producer_release(producer);
    collect(MANY);
    CHECK_EQ(collected, posted);
    CHECK_EQ(vmring_producer_pending(producer), 0);
    vmring_producer_close(producer, NULL, NULL);
    return 0;
}
