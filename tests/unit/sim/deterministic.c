/* SPDX-License-Identifier: MIT */
/* Description: what a vCPU raises depends on the seed, not on the others. */
#include "check.h"
#include "sim/guest.h"
#include "stub_producer.h"

#define VCPUS  5
#define EVENTS "cpuid cr3 cr4:async msr:0xc0000080-0xc0000102 breakpoint"

/* Digests of what each vCPU raised, in its order. */
static void digest(const char *params, int backwards, uint64_t sums[VCPUS])
{
    struct vmring_producer p = {0};
    unsigned int answered = 0;
    struct sim *sim;
    char error[256];

    memset(sums, 0, VCPUS * sizeof(*sums));
    CHECK_EQ(sim_open(params, &sim, error, sizeof(error)), 0);
    sim_start(sim, &p);
    stub_arm(sim, EVENTS);
    while (sim_run(sim) != SIM_ENDED) {
        unsigned int from = answered, to = p.nr;

        answered = to;
        for (unsigned int i = 0; i < to - from; i++) {
            unsigned int e = backwards ? to - 1 - i : from + i;

            if (p.events[e].sync)
                stub_answer(sim, &p, e, 0);
        }
    }
    CHECK_EQ(p.nr, VCPUS * 500);
    for (unsigned int i = 0; i < p.nr; i++) {
        const struct xen_vm_ring_event *event = &p.events[i].event;
        const unsigned char *bytes = (const void *)event;

        CHECK_EQ(event->length, XEN_VM_RING_EVENT_FULL);
        for (unsigned int b = 0; b < XEN_VM_RING_EVENT_FULL; b++)
            sums[event->vcpu] = sums[event->vcpu] * 31 + bytes[b];
    }
    sim_close(sim);
    stub_free(&p);
}

int main(void)
{
    uint64_t a[VCPUS], b[VCPUS];

    digest("vcpus=5,count=500,seed=7", 0, a);
    digest("vcpus=5,count=500,seed=7", 0, b);
    CHECK(!memcmp(a, b, sizeof(a)));
    digest("vcpus=5,count=500,seed=7,batch=3", 1, b);
    CHECK(!memcmp(a, b, sizeof(a)));
    digest("vcpus=5,count=500,seed=8", 0, b);
    for (unsigned int v = 0; v < VCPUS; v++) {
        CHECK(a[v] != b[v]);
        CHECK(v == 0 || a[v] != a[v - 1]);
    }
    return 0;
}
