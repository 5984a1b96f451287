/* SPDX-License-Identifier: MIT */
/* Description: a verdict has the effect in the guest that it would have. */
#include "check.h"
#include "sim/guest.h"
#include "stub_producer.h"

static struct vmring_producer p;
static struct sim *sim;

/* Lets one vCPU raise its next event, and returns it. */
static const struct xen_vm_ring_event *next(void)
{
    CHECK_EQ(sim_run(sim), SIM_WAITING);
    return &p.events[p.nr - 1].event;
}

static void start(const char *params, const char *events)
{
    char error[256];

    memset(&p, 0, sizeof(p));
    CHECK_EQ(sim_open(params, &sim, error, sizeof(error)), 0);
    sim_start(sim, &p);
    stub_arm(sim, events);
}

static void end(void)
{
    sim_close(sim);
    stub_free(&p);
}

static void deny_writes(void)
{
    const struct xen_vm_ring_event *event;
    uint64_t old;

    start("vcpus=1,cr4=4", "cr4");
    event = next();
    old = event->u.write_ctrlreg.old_value;
    CHECK_EQ(event->u.write_ctrlreg.index, 2);
    CHECK_EQ(event->regs.x86.cr4, old);
    stub_answer(sim, &p, p.nr - 1, XEN_VM_RING_FLAG_DENY);
    event = next();
    CHECK_EQ(event->u.write_ctrlreg.old_value, old);
    stub_answer(sim, &p, p.nr - 1, 0);
    event = next();
    CHECK(event->u.write_ctrlreg.old_value != old);
    CHECK_EQ(sim->vcpus[0].denied, 1);
    end();

    start("vcpus=1,msr=4,msrnr=0xc0000082", "msr:0xc0000082");
    old = next()->u.mov_to_msr.old_value;
    stub_answer(sim, &p, p.nr - 1, XEN_VM_RING_FLAG_DENY);
    CHECK_EQ(next()->u.mov_to_msr.old_value, old);
    end();
}

static void set_registers(void)
{
    struct vmring_verdict verdict = {.by = VMRING_BY_CONSUMER};

    start("vcpus=1,cpuid=7", "cpuid");
    for (unsigned int i = 0; i < 6; i++) {
        next();
        verdict.event = p.events[i].event;
        verdict.cookie = p.events[i].cookie;
        verdict.response.flags = XEN_VM_RING_FLAG_SET_REGISTERS;
        verdict.response.data = p.events[i].event.regs;
        /* Right; each result another; the instruction once more. */
        verdict.response.data.x86.rip += i == 5 ? 0 : 2;
        verdict.response.data.x86.rax ^= i == 1;
        verdict.response.data.x86.rbx ^= i == 2;
        verdict.response.data.x86.rcx ^= i == 3;
        verdict.response.data.x86.rdx ^= i == 4;
        sim_verdict(sim, &verdict);
        CHECK_EQ(sim->vcpus[0].cpuid_wrong, i);
    }
    next();
    stub_answer(sim, &p, 6, 0);
    CHECK_EQ(sim->vcpus[0].cpuid_wrong, 5);
    CHECK_EQ(sim->vcpus[0].tally[10].answered, 7);
    end();
}

static void inject(const char *params, const char *events)
{
    start(params, events);
    next();
    stub_answer(sim, &p, 0, XEN_VM_RING_FLAG_INJECT);
    CHECK_EQ(sim->vcpus[0].trapped, 1);
    next();
    stub_answer(sim, &p, 1, XEN_VM_RING_FLAG_SET_REGISTERS);
    CHECK_EQ(sim->vcpus[0].trapped, 1);
    next();
    stub_answer(sim, &p, 2, 0);
    CHECK_EQ(sim->vcpus[0].trapped, 2);
    CHECK_EQ(sim_run(sim), SIM_ENDED);
    end();
}

/* Nothing is done: a trap is swallowed, a write goes on. */
static void go_on(void)
{
    start("vcpus=1,int3=2", "breakpoint");
    next();
    stub_answer(sim, &p, 0, XEN_VM_RING_FLAG_CONTINUE);
    CHECK_EQ(sim->vcpus[0].trapped, 0);
    next();
    stub_answer(sim, &p, 1, 0);
    CHECK_EQ(sim->vcpus[0].trapped, 1);
    end();

    start("vcpus=1,cr4=2", "cr4");
    next();
    stub_answer(sim, &p, 0, XEN_VM_RING_FLAG_CONTINUE);
    CHECK_EQ(next()->u.write_ctrlreg.old_value,
             p.events[0].event.u.write_ctrlreg.new_value);
    CHECK_EQ(sim->vcpus[0].denied, 0);
    end();

    start("vcpus=1,cpuid=2", "cpuid");
    next();
    stub_answer(sim, &p, 0, XEN_VM_RING_FLAG_CONTINUE);
    CHECK_EQ(sim->vcpus[0].cpuid_wrong, 1);
    end();
}

static void overdue(void)
{
    struct vmring_verdict verdict = {.by = VMRING_OVERDUE};

    start("vcpus=2,cpuid=2", "cpuid");
    /* By the answer to who has armed something it runs. */
    CHECK_EQ(p.state, XEN_VM_RING_TARGET_RUNNING);
    next();
    CHECK_EQ(p.state, XEN_VM_RING_TARGET_RUNNING);
    verdict.event = p.events[0].event;
    verdict.cookie = p.events[0].cookie;
    sim_verdict(sim, &verdict);
    CHECK_EQ(p.state, XEN_VM_RING_TARGET_PAUSED);
    stub_answer(sim, &p, 1, 0);
    CHECK_EQ(sim_run(sim), SIM_WAITING);
    CHECK_EQ(p.nr, 2);
    verdict.by = VMRING_BY_DEADLINE;
    verdict.was_overdue = 1;
    sim_verdict(sim, &verdict);
    CHECK_EQ(p.state, XEN_VM_RING_TARGET_RUNNING);
    CHECK_EQ(sim_run(sim), SIM_WAITING);
    CHECK_EQ(p.nr, 4);
    CHECK_EQ(sim->vcpus[0].tally[10].defaulted, 1);
    end();
}

int main(void)
{
    deny_writes();
    set_registers();
    inject("vcpus=1,int3=3", "breakpoint");
    inject("vcpus=1,db=3", "debug");
    go_on();
    overdue();
    return 0;
}
