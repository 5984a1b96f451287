/* SPDX-License-Identifier: MIT */
#include "stub_producer.h"

#include "check.h"
#include "sim/sim.h"

static void keep(struct vmring_producer *p,
                 const struct xen_vm_ring_event *event, uint64_t cookie,
                 int sync)
{
    if (p->nr == p->room) {
        p->room = p->room ? 2 * p->room : 64;
        p->events = realloc(p->events, p->room * sizeof(*p->events));
        CHECK(p->events);
    }
    p->events[p->nr++] = (struct stub_event){*event, cookie, sync};
}

int vmring_producer_post(struct vmring_producer *producer,
                         const struct xen_vm_ring_event *event, uint64_t cookie)
{
    keep(producer, event, cookie, 1);
    return 0;
}

int vmring_producer_push(struct vmring_producer *producer, unsigned int lane,
                         const struct xen_vm_ring_event *event)
{
    CHECK_EQ(lane, event->vcpu);
    keep(producer, event, 0, 0);
    return 0; /* "lost", which is nothing to the guest */
}

void vmring_producer_flush(struct vmring_producer *producer)
{
    producer->flushes++;
}

void vmring_producer_set_target_state(struct vmring_producer *producer,
                                      unsigned int state, unsigned int reason)
{
    CHECK_EQ(reason, 0);
    producer->state = state;
}

void stub_arm(struct sim *sim, const char *events)
{
    struct vmring_spec specs[16];
    int results[16], nr;
    char error[256] = "";

    nr = vmring_specs_parse(events, specs, 16, error, sizeof(error));
    CHECK_STR(error, "");
    sim_producer_ops.subscribe(sim, specs, (unsigned int)nr, results, error,
                               sizeof(error));
    CHECK_STR(error, "");
    for (int i = 0; i < nr; i++)
        CHECK_EQ(results[i], VMRING_SPEC_ARMED);
}

void stub_answer(struct sim *sim, const struct vmring_producer *producer,
                 unsigned int i, uint32_t flags)
{
    struct vmring_verdict verdict = {
        .event = producer->events[i].event,
        .response = {.flags = flags, .data = producer->events[i].event.regs},
        .cookie = producer->events[i].cookie,
        .by = VMRING_BY_CONSUMER,
    };

    CHECK(producer->events[i].sync);
    sim_verdict(sim, &verdict);
}

void stub_run_to_end(struct sim *sim, struct vmring_producer *producer)
{
    unsigned int answered = producer->nr;
    int next;

    while ((next = sim_run(sim)) != SIM_ENDED) {
        unsigned int before = answered;

        for (; answered < producer->nr; answered++) {
            if (producer->events[answered].sync)
                stub_answer(sim, producer, answered, 0);
        }
        CHECK(next != SIM_WAITING || answered > before);
    }
}

void stub_free(struct vmring_producer *producer)
{
    free(producer->events);
}
