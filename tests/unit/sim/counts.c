/* SPDX-License-Identifier: MIT */
/* Description: the guest does exactly the work of each kind asked for. */
#include "check.h"
#include "sim/guest.h"
#include "stub_producer.h"

#define WORK "vcpus=3,cpuid=100,cr4=20,msr=30,greq=5,int3=7,cr0=1,cr3=0,db=2"

static void count(const char *events, const uint64_t *expect,
                  const uint64_t expect_sync)
{
    struct vmring_producer p = {0};
    uint64_t nr[3][XEN_VM_RING_NR_REASONS] = {{0}}, sync = 0;
    struct sim *sim;
    char error[256];

    CHECK_EQ(sim_open(WORK, &sim, error, sizeof(error)), 0);
    sim_start(sim, &p);
    stub_arm(sim, events);
    stub_run_to_end(sim, &p);
    CHECK_EQ(sim_run(sim), SIM_ENDED);
    for (unsigned int i = 0; i < p.nr; i++) {
        nr[p.events[i].event.vcpu][p.events[i].event.reason]++;
        sync += (unsigned int)p.events[i].sync;
    }
    for (unsigned int v = 0; v < 3; v++) {
        uint64_t sum = sim->vcpus[v].passed;

        for (unsigned int r = 0; r < XEN_VM_RING_NR_REASONS; r++) {
            CHECK_EQ(nr[v][r], expect[r]);
            sum += nr[v][r];
        }
        CHECK_EQ(sum, 165);
        CHECK_EQ(sim->vcpus[v].trapped, 9);
        CHECK_EQ(sim->vcpus[v].cpuid_wrong, 0);
    }
    CHECK_EQ(sync, expect_sync);
    sim_close(sim);
    stub_free(&p);
}

int main(void)
{
    count("cpuid cr3 cr4:async cr0 msr:0-0x1fff msr:0xc0000000-0xc0001fff "
          "guest_request:async breakpoint debug",
          (uint64_t[XEN_VM_RING_NR_REASONS]){
              [4] = 21, [5] = 30, [6] = 7, [8] = 5, [9] = 2, [10] = 100},
          3 * (100 + 30 + 7 + 2 + 1));
    count("cr4:async debug:async",
          (uint64_t[XEN_VM_RING_NR_REASONS]){[4] = 20, [9] = 2}, 0);
    count("cr3", (uint64_t[XEN_VM_RING_NR_REASONS]){0}, 0);
    return 0;
}
