/* SPDX-License-Identifier: MIT */
/* Description: a vCPU with a request raises nothing before its verdict. */
#include "check.h"
#include "sim/guest.h"
#include "stub_producer.h"

int main(void)
{
    struct vmring_producer p = {0};
    struct sim *sim;
    char error[256];

    CHECK_EQ(sim_open("vcpus=8,cpuid=3", &sim, error, sizeof(error)), 0);
    sim_start(sim, &p);
    stub_arm(sim, "cpuid");
    CHECK_EQ(sim_run(sim), SIM_WAITING);
    CHECK_EQ(p.nr, 8); /* one each: fair */
    CHECK_EQ(sim_run(sim), SIM_WAITING);
    CHECK_EQ(p.nr, 8);
    for (unsigned int i = 0; i < 8; i++) {
        CHECK_EQ(p.events[i].event.vcpu, i);
        CHECK_EQ(p.events[i].event.flags, XEN_VM_RING_FLAG_VCPU_PAUSED);
    }

    /* One goes on, alone, to its end. */
    stub_answer(sim, &p, 5, 0);
    CHECK_EQ(sim_run(sim), SIM_WAITING);
    CHECK_EQ(p.nr, 9);
    CHECK_EQ(p.events[8].event.vcpu, 5);
    stub_answer(sim, &p, 8, 0);
    sim_run(sim);
    CHECK_EQ(p.nr, 10);
    stub_answer(sim, &p, 9, 0);
    CHECK_EQ(sim_run(sim), SIM_WAITING);
    CHECK_EQ(p.nr, 10);
    CHECK_EQ(sim->nr_done, 1);

    /* A second verdict is noticed and has no effect. */
    stub_answer(sim, &p, 9, 0);
    stub_answer(sim, &p, 5, 0);
    CHECK_EQ(sim->vcpus[5].stray, 2);
    CHECK_EQ(sim_run(sim), SIM_WAITING);
    CHECK_EQ(p.nr, 10);
    sim_close(sim);
    stub_free(&p);
    return 0;
}
