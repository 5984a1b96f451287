/* SPDX-License-Identifier: MIT */
/* Description: with count=N each vCPU raises exactly N armed events. */
#include "check.h"
#include "sim/guest.h"
#include "stub_producer.h"

static const struct {
    const char *params, *events;
    unsigned int vcpus, count, reasons; /* bit per reason that came */
} runs[] = {
    {"vcpus=4,count=300", "cr3:async", 4, 300, 1 << 4},
    {"vcpus=4,count=300", "cpuid cr3 guest_request:async breakpoint", 4, 300,
     1 << 4 | 1 << 6 | 1 << 8 | 1 << 10},
    {"vcpus=1,count=5", "msr:0xc0000082:onchange", 1, 5, 1 << 5},
    {"vcpus=1,count=50", "cr3:async:onchange", 1, 50, 1 << 4},
    {"vcpus=64,count=20,mix=cpuid:1/db:3,batch=1", "cpuid debug", 64, 20,
     1 << 9 | 1 << 10},
    {"count=100,msrnr=0x10", "msr:0x10", 4, 100, 1 << 5},
    {"vcpus=4096,count=3", "cr3", 4096, 3, 1 << 4},
};

static void run(unsigned int r)
{
    struct vmring_producer p = {0};
    unsigned int *nr = calloc(runs[r].vcpus, sizeof(*nr)), reasons = 0;
    struct sim *sim;
    char error[256];

    CHECK(nr);
    CHECK_EQ(sim_open(runs[r].params, &sim, error, sizeof(error)), 0);
    CHECK_EQ(sim_nr_vcpus(sim), runs[r].vcpus);
    sim_start(sim, &p);
    stub_arm(sim, runs[r].events);
    stub_run_to_end(sim, &p);
    for (unsigned int i = 0; i < p.nr; i++) {
        const struct xen_vm_ring_event *event = &p.events[i].event;

        nr[event->vcpu]++;
        reasons |= 1u << event->reason;
        if (event->reason == XEN_VM_RING_REASON_WRITE_CTRLREG && r == 3)
            CHECK(event->u.write_ctrlreg.new_value !=
                  event->u.write_ctrlreg.old_value);
    }
    for (unsigned int v = 0; v < runs[r].vcpus; v++)
        CHECK_EQ(nr[v], runs[r].count);
    CHECK_EQ(reasons, runs[r].reasons);
    CHECK(p.flushes > 0 && p.flushes <= p.nr);
    sim_close(sim);
    stub_free(&p);
    free(nr);
}

int main(void)
{
    for (unsigned int r = 0; r < sizeof(runs) / sizeof(*runs); r++)
        run(r);
    return 0;
}
