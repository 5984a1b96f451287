/* SPDX-License-Identifier: MIT */
/*
 * Description: a simulated guest stands still while any of its requests is
 * overdue, goes on after the last, and counts a verdict for nothing as stray.
 */
#include "check.h"
#include "sim/guest.h"
#include "stub_producer.h"

static struct vmring_producer p;
static struct sim *sim;

static void overdue(unsigned int i)
{
    struct vmring_verdict verdict = {
        .event = p.events[i].event,
        .cookie = p.events[i].cookie,
        .by = VMRING_OVERDUE,
    };

    sim_verdict(sim, &verdict);
}

int main(void)
{
    char error[256];
    unsigned int before;

    CHECK_EQ(sim_open("vcpus=2,cpuid=2", &sim, error, sizeof(error)), 0);
    CHECK_EQ(sim_run(sim), SIM_WAITING); /* nobody to raise anything to */
    sim_start(sim, &p);
    CHECK_EQ(p.state, XEN_VM_RING_TARGET_PAUSED);
    stub_arm(sim, "cpuid");
    CHECK_EQ(sim_run(sim), SIM_WAITING);
    CHECK_EQ(p.nr, 2);
    CHECK_EQ(p.state, XEN_VM_RING_TARGET_RUNNING);
    overdue(0);
    CHECK_EQ(p.state, XEN_VM_RING_TARGET_PAUSED);
    overdue(0); /* no news */
    overdue(1);
    stub_answer(sim, &p, 0, 0);
    CHECK_EQ(p.state, XEN_VM_RING_TARGET_PAUSED);
    before = p.nr;
    CHECK_EQ(sim_run(sim), SIM_WAITING);
    CHECK_EQ(p.nr, before);
    stub_answer(sim, &p, 1, 0);
    CHECK_EQ(p.state, XEN_VM_RING_TARGET_RUNNING);
    CHECK_EQ(sim_run(sim), SIM_WAITING);
    CHECK_EQ(p.nr, before + 2);

    /* A verdict that was given already, and one for nobody who waits. */
    stub_answer(sim, &p, 0, 0);
    CHECK_EQ(sim->vcpus[p.events[0].event.vcpu].stray, 1);
    stub_answer(sim, &p, 2, 0);
    stub_answer(sim, &p, 2, 0);
    CHECK_EQ(sim->vcpus[0].stray + sim->vcpus[1].stray, 2);
    stub_answer(sim, &p, 3, 0);
    stub_run_to_end(sim, &p);
    sim_close(sim);
    sim_close(NULL);
    stub_free(&p);
    return 0;
}
