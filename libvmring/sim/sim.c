/* SPDX-License-Identifier: MIT */
/*
 * sim.c: the guest as a whole: which vCPU runs, at which pace, until when.
 *
 * Each vCPU draws its work from a stream of its own, so that what it raises
 * does not depend on when the others run.
 */
#include "guest.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"

#define NS UINT64_C(1000000000)

/* Steps for one armed event, at most: bounds a sim_run(). */
#define STEPS_PER_EVENT 64

static unsigned int take_ready(struct sim *sim)
{
    struct sim_queue *q = &sim->ready;
    unsigned int id = q->ids[q->first];

    q->first = (q->first + 1) % nr_vcpus(sim);
    q->nr--;
    return id;
}

static void make_ready(struct sim *sim, unsigned int id)
{
    struct sim_queue *q = &sim->ready;

    assert(q->nr < nr_vcpus(sim));
    q->ids[(q->first + q->nr) % nr_vcpus(sim)] = id;
    q->nr++;
}

/* After a step or a verdict. */
static void put_back(struct sim *sim, struct sim_vcpu *v)
{
    if (sim_vcpu_finished(v, &sim->params)) {
        v->done = true;
        sim->nr_done++;
    } else if (!v->waiting) {
        make_ready(sim, v->id);
    }
}

int sim_create(const struct sim_params *params, struct sim **out)
{
    struct sim *sim = calloc(1, sizeof(*sim));

    if (!sim)
        return -ENOMEM;
    sim->params = *params;
    sim->vcpus = calloc(params->nr_vcpus, sizeof(*sim->vcpus));
    sim->ready.ids = calloc(params->nr_vcpus, sizeof(*sim->ready.ids));
    if (!sim->vcpus || !sim->ready.ids) {
        sim_close(sim);
        return -ENOMEM;
    }
    for (unsigned int id = 0; id < params->nr_vcpus; id++) {
        sim_vcpu_boot(&sim->vcpus[id], id, params);
        put_back(sim, &sim->vcpus[id]);
    }
    *out = sim;
    return 0;
}

int sim_open(const char *text, struct sim **sim, char *error, size_t error_len)
{
    struct sim_params params;
    int err = sim_params_parse(text, false, &params, error, error_len);

    if (!err)
        err = sim_create(&params, sim);
    if (err)
        return err;
    err = sim_open_truth(*sim);
    if (err) {
        snprintf(error, error_len, "cannot write the file of truth=: %s",
                 strerror(-err));
        sim_close(*sim);
    }
    return err;
}

void sim_close(struct sim *sim)
{
    if (!sim)
        return;
    if (sim->truth)
        fclose(sim->truth);
    free(sim->ready.ids);
    free(sim->vcpus);
    free(sim);
}

unsigned int sim_nr_vcpus(const struct sim *sim)
{
    return nr_vcpus(sim);
}

const char *sim_name(const struct sim *sim)
{
    return sim->params.name;
}

static void tell_state(struct sim *sim, unsigned int state)
{
    if (sim->producer)
        vmring_producer_set_target_state(sim->producer, state, 0);
}

void sim_start(struct sim *sim, struct vmring_producer *producer)
{
    sim->producer = producer;
    if (!sim->running && !sim->params.start_now)
        tell_state(sim, XEN_VM_RING_TARGET_PAUSED);
}

/* a * b / c; with b and c up to 10^9 nothing in between overflows. */
static uint64_t scale(uint64_t a, uint64_t b, uint64_t c)
{
    return a / c * b + a % c * b / c;
}

/*
 * Events that the rate allows now.  A guest that was held up does not catch
 * up on more than a tenth of a second.
 */
static uint64_t allowance(struct sim *sim)
{
    uint64_t rate = sim->params.rate, total, most = rate / 10 + 1;

    if (!rate)
        return UINT64_MAX;
    total = scale(clock_ns() - sim->began, rate, NS);
    if (total > sim->allotted + most)
        sim->allotted = total - most;
    return total > sim->allotted ? total - sim->allotted : 0;
}

/* ms until the rate allows one more, rounded up. */
static int until_allowed(const struct sim *sim)
{
    uint64_t at, t = clock_ns() - sim->began;

    if (!sim->params.rate)
        return 0;
    at = scale(sim->allotted + 1, NS, sim->params.rate) + 1;
    return at > t ? (int)((at - t + 999999) / 1000000) : 0;
}

/* May any vCPU do anything? */
static bool stands_still(const struct sim *sim)
{
    if (!sim->producer || sim->nr_overdue)
        return true;
    if (sim->arming.any)
        return false;
    /* Without a count, work that nobody sees would never end. */
    return !sim->params.start_now || !sim->params.counted;
}

void sim_begin(struct sim *sim)
{
    if (sim->running)
        return;
    sim->running = true;
    sim->began = clock_ns();
    tell_state(sim, XEN_VM_RING_TARGET_RUNNING);
}

/* The truth is counted before the producer hears of it. */
static void raise_event(struct sim *sim, struct sim_vcpu *v,
                        const struct xen_vm_ring_event *event, uint8_t mode)
{
    static const struct xen_vm_ring_response neutral;

    if (mode == VMRING_MODE_ASYNC) {
        v->tally[event->reason].records++;
        if (vmring_producer_push(sim->producer, v->id, event) < 0)
            v->refused++;
        return;
    }
    v->tally[event->reason].requests++;
    if (vmring_producer_post(sim->producer, event, v->raised) < 0) {
        v->refused++;
        sim_vcpu_resume(v, &neutral);
    }
}

/* Lets vCPUs run, in turn, until `events` are raised.  Returns how many. */
static uint64_t run_vcpus(struct sim *sim, uint64_t events)
{
    uint64_t raised = 0;

    for (uint64_t steps = events * STEPS_PER_EVENT;
         steps && raised < events && sim->ready.nr; steps--) {
        struct sim_vcpu *v = &sim->vcpus[take_ready(sim)];
        struct xen_vm_ring_event event;
        uint8_t mode;

        if (sim_vcpu_step(v, &sim->params, &sim->arming, &event, &mode)) {
            raise_event(sim, v, &event, mode);
            raised++;
        }
        put_back(sim, v);
    }
    return raised;
}

int sim_run(struct sim *sim)
{
    uint64_t events, raised;

    if (sim->running && sim->nr_done == sim->params.nr_vcpus)
        return SIM_ENDED;
    if (stands_still(sim))
        return SIM_WAITING;
    sim_begin(sim);
    events = allowance(sim);
    if (events > sim->params.batch)
        events = sim->params.batch;
    raised = run_vcpus(sim, events);
    sim->allotted += raised;
    if (raised)
        vmring_producer_flush(sim->producer);
    if (sim->nr_done == sim->params.nr_vcpus)
        return SIM_ENDED;
    return sim->ready.nr ? until_allowed(sim) : SIM_WAITING;
}

static void pause_for(struct sim *sim, struct sim_vcpu *v)
{
    if (v->overdue)
        return;
    v->overdue = true;
    if (!sim->nr_overdue++)
        tell_state(sim, XEN_VM_RING_TARGET_PAUSED);
}

static void unpause_for(struct sim *sim, struct sim_vcpu *v)
{
    if (!v->overdue)
        return;
    v->overdue = false;
    if (!--sim->nr_overdue)
        tell_state(sim, XEN_VM_RING_TARGET_RUNNING);
}

void sim_verdict(struct sim *sim, const struct vmring_verdict *verdict)
{
    struct sim_vcpu *v;
    struct sim_tally *tally;

    assert(verdict->event.vcpu < nr_vcpus(sim));
    assert(verdict->event.reason < XEN_VM_RING_NR_REASONS);
    v = &sim->vcpus[verdict->event.vcpu];
    tally = &v->tally[verdict->event.reason];
    if (!v->waiting || verdict->cookie != v->raised) {
        v->stray++; /* a second verdict would be a fault of the ring */
        return;
    }
    if (verdict->by == VMRING_OVERDUE) {
        pause_for(sim, v);
        return;
    }
    unpause_for(sim, v);
    if (verdict->by == VMRING_BY_CONSUMER)
        tally->answered++;
    else
        tally->defaulted++;
    sim_vcpu_resume(v, &verdict->response);
    put_back(sim, v);
}
