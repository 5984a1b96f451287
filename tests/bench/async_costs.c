/* SPDX-License-Identifier: MIT */
/*
 * async_costs.c: what a lost event costs beside a delivered one, and how many
 * doorbells are rung under load, in both directions.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench.h"
#include "tables.h"
#include "worker.h"

#include "core/atomic.h"
#include "core/consumer.h"
#include "core/producer.h"

#define VCPUS 64
#define SLOTS 1024

struct ring {
    struct vmr_geometry geo;
    void *p, *c, *tx_memory, *rx_memory;
    struct vmr_producer tx;
    struct vmr_consumer rx;
};

static void close_ring(struct ring *ring)
{
    bench_unmap(ring->p, ring->geo.p_len);
    bench_unmap(ring->c, ring->geo.c_len);
    free(ring->tx_memory);
    free(ring->rx_memory);
    free(ring);
}

static struct ring *open_ring(uint32_t vcpus, uint32_t record_len)
{
    struct ring *ring = calloc(1, sizeof(*ring));
    struct vmr_geometry *geo = ring ? &ring->geo : NULL;

    if (!ring)
        return NULL;
    *geo = (struct vmr_geometry){
        .epoch = 1,
        .nr_vcpus = vcpus,
        .nr_lanes = vcpus,
        .nr_groups = 1,
        .arch = XEN_VM_RING_ARCH_X86,
        .clock = XEN_VM_RING_CLOCK_MONOTONIC,
        .record_len = record_len,
    };
    if (!vmr_geometry_lay_out(geo, (uint64_t)vcpus * SLOTS * record_len)) {
        free(ring);
        return NULL;
    }
    ring->p = bench_map(geo->p_len);
    ring->c = bench_map(geo->c_len);
    ring->tx_memory = calloc(1, vmr_producer_size(vcpus, vcpus));
    ring->rx_memory = calloc(1, vmr_consumer_size(geo));
    if (!ring->p || !ring->c || !ring->tx_memory || !ring->rx_memory) {
        close_ring(ring);
        return NULL;
    }
    vmr_geometry_publish(geo, ring->p);
    vmr_producer_init(&ring->tx, ring->tx_memory, vcpus, vcpus);
    vmr_producer_attach(&ring->tx, geo, ring->p, ring->c);
    vmr_consumer_init(&ring->rx, geo, ring->rx_memory, ring->p, ring->c);
    return ring;
}

static struct xen_vm_ring_event event_of(uint32_t len)
{
    struct xen_vm_ring_event event;

    memset(&event, 0, sizeof(event));
    event.reason = XEN_VM_RING_REASON_CPUID;
    event.length = (uint16_t)len;
    return event;
}

/* ns a push, into a lane that is empty or (arg) full; nobody else runs. */
static enum bench_result run_push(const struct bench_case *self,
                                  const struct bench_env *env,
                                  struct bench_sample *sample)
{
    struct ring *ring = open_ring(1, (self->len + 63) / 64 * 64);
    struct xen_vm_ring_event event = event_of(self->len), got;
    uint64_t ns = 0, pushes = 0, accepted = 0, fill;
    bool full = self->arg != NULL;
    uint32_t where;

    if (!ring)
        return bench_skip(sample, "no memory");
    fill = full ? ring->geo.nr_records : 0;
    for (uint64_t i = 0; i < fill; i++)
        (void)vmr_producer_push(&ring->tx, 0, &event);
    while (ns < env->run_ns / 4) {
        uint64_t began = bench_now();

        for (uint64_t i = 0; i < ring->geo.nr_records; i++)
            accepted += vmr_producer_push(&ring->tx, 0, &event);
        ns += bench_now() - began;
        pushes += ring->geo.nr_records;
        (void)vmr_producer_flush(&ring->tx);
        while (!full &&
               vmr_consumer_next(&ring->rx, 0, &got, &where) != VMR_NEXT_NONE)
            ;
    }
    close_ring(ring);
    if (accepted != (full ? 0 : pushes))
        return bench_failed(sample, "%llu of %llu pushes were accepted",
                            (unsigned long long)accepted,
                            (unsigned long long)pushes);
    sample->value = (double)ns / (double)pushes;
    return BENCH_OK;
}

/* Both directions: events and requests one way, answers the other. */
struct load {
    struct ring *ring;
    struct bench_barrier start;
    int to_consumer, to_producer;
    uint64_t run_ns;
    uint32_t batch, stop;
    uint64_t events, answers;     /* delivered */
    uint64_t rings, answer_rings; /* counted */
    uint64_t lost, arms;          /* likewise */
};

static void ring_bell(int fd, uint64_t *count)
{
    uint64_t one = 1;

    ++*count;
    if (write(fd, &one, sizeof(one)) != sizeof(one))
        abort();
}

static void sleep_on(int fd)
{
    uint64_t value;

    if (read(fd, &value, sizeof(value)) != sizeof(value))
        abort();
}

/* Looks this long before it sleeps. */
#define SPIN_NS 20000

static void take_all(void *arg)
{
    struct load *load = arg;
    struct vmr_consumer *rx = &load->ring->rx;
    uint64_t idle_since = 0;

    bench_meet(&load->start);
    for (;;) {
        bool ended = vmr_load_acquire32(&load->stop);
        struct xen_vm_ring_response response = {.flags = 0};
        struct xen_vm_ring_event event;
        uint32_t where;

        switch (vmr_consumer_next(rx, 0, &event, &where)) {
        case VMR_NEXT_RECORD:
            load->events++;
            idle_since = 0;
            continue;
        case VMR_NEXT_REQUEST:
            response.reason = event.reason;
            load->answers +=
                vmr_consumer_answer(rx, where, event.state, &response);
            if (load->answers % load->batch == 0 && vmr_consumer_flush(rx, 0))
                ring_bell(load->to_producer, &load->answer_rings);
            idle_since = 0;
            continue;
        default:
            break;
        }
        if (vmr_consumer_flush(rx, 0))
            ring_bell(load->to_producer, &load->answer_rings);
        if (ended)
            return;
        if (!idle_since)
            idle_since = bench_now();
        if (bench_now() - idle_since < SPIN_NS)
            continue;
        /* Rung for, too, where it finds that it is not to sleep. */
        load->arms++;
        if (!vmr_consumer_arm(rx, 0))
            continue;
        /* The end has no attention bit: it is looked at after arming. */
        if (vmr_load_relaxed32(&load->stop)) {
            vmr_consumer_disarm(rx, 0);
            continue;
        }
        sleep_on(load->to_consumer);
        idle_since = 0;
    }
}

static void tell(struct load *load)
{
    if (vmr_producer_flush(&load->ring->tx))
        ring_bell(load->to_consumer, &load->rings);
}

static void post(struct load *load, uint32_t vcpu)
{
    struct vmr_request request = {.event = event_of(64),
                                  .deadline = VMR_NO_DEADLINE};

    request.event.vcpu = (uint16_t)vcpu;
    (void)vmr_producer_post(&load->ring->tx, &request);
}

/* Every vCPU asks again as soon as it has its verdict. */
static void ask_all(void *arg)
{
    struct load *load = arg;
    struct vmr_producer *tx = &load->ring->tx;
    uint64_t until, idle_since = 0, given = 0;
    struct vmr_verdict verdict;

    bench_meet(&load->start);
    until = bench_now() + load->run_ns;
    for (uint32_t v = 0; v < VCPUS; v++)
        post(load, v);
    tell(load);
    while (bench_now() < until) {
        if (vmr_producer_collect(tx, 0, &verdict)) {
            post(load, verdict.request.event.vcpu);
            if (++given % load->batch == 0)
                tell(load);
            idle_since = 0;
            continue;
        }
        tell(load);
        if (!idle_since)
            idle_since = bench_now();
        if (bench_now() - idle_since < SPIN_NS || !vmr_producer_arm(tx))
            continue;
        sleep_on(load->to_producer);
        idle_since = 0;
    }
}

/* Records as fast as they can be pushed, over all lanes in turn. */
static void push_all(void *arg)
{
    struct load *load = arg;
    struct vmr_producer *tx = &load->ring->tx;
    struct xen_vm_ring_event event = event_of(64);
    uint64_t until, nr = 0;

    bench_meet(&load->start);
    until = bench_now() + load->run_ns;
    do {
        for (uint32_t i = 0; i < load->batch; i++)
            load->lost += !vmr_producer_push(tx, nr++ % VCPUS, &event);
        tell(load);
    } while (bench_now() < until);
}

static void end(struct load *load)
{
    vmr_store_release32(&load->stop, 1);
    if (vmr_producer_wake(&load->ring->tx))
        ring_bell(load->to_consumer, &load->rings);
}

static void push_and_end(void *arg)
{
    push_all(arg);
    end(arg);
}

static void ask_and_end(void *arg)
{
    ask_all(arg);
    end(arg);
}

/* Doorbells an event: of records (no arg), or of requests and answers. */
static enum bench_result run_bells(const struct bench_case *self,
                                   const struct bench_env *env,
                                   struct bench_sample *sample)
{
    bool asks = self->arg != NULL;
    struct load load = {.ring = open_ring(VCPUS, 64),
                        .start = {.nr = 2},
                        .run_ns = env->run_ns,
                        .batch = self->batch};
    struct bench_worker consumer, producer;
    enum bench_result result = BENCH_OK;
    uint64_t nr;

    if (!load.ring)
        return bench_skip(sample, "no memory");
    load.to_consumer = eventfd(0, EFD_CLOEXEC);
    load.to_producer = eventfd(0, EFD_CLOEXEC);
    bench_start(&consumer, false, env->cpus[1], take_all, &load);
    bench_start(&producer, false, env->cpus[0],
                asks ? ask_and_end : push_and_end, &load);
    bench_join(&producer);
    bench_join(&consumer);
    nr = asks ? load.answers : load.events;
    sample->value =
        (double)(asks ? load.rings + load.answer_rings : load.rings) /
        (double)(nr ? nr : 1);
    bench_extra(sample, "events", (double)nr);
    bench_extra(sample, "to_consumer", (double)load.rings);
    bench_extra(sample, "to_producer", (double)load.answer_rings);
    bench_extra(sample, "lost", (double)load.lost);
    if (!nr || load.rings > load.arms + 1)
        result = bench_failed(
            sample, "%llu events, %llu doorbells, armed %llu times",
            (unsigned long long)nr, (unsigned long long)load.rings,
            (unsigned long long)load.arms);
    close(load.to_consumer);
    close(load.to_producer);
    close_ring(load.ring);
    return result;
}

static const char yes[] = "yes";

#define PUSH(group, name, what, flags, len, full)                              \
    {                                                                          \
        group, name, "ns", what, run_push, BENCH_LESS | (flags), len, 2048, 1, \
            false, full                                                        \
    }
#define BELLS(name, what, batch, asks)                                         \
    {                                                                          \
        "doorbells", name, "doorbells/event", what, run_bells, BENCH_LESS, 64, \
            batch, 1, false, asks                                              \
    }

static const struct bench_case cases[] = {
    PUSH("push-cost-64", "delivered", "a push that finds room", BENCH_REFERENCE,
         64, NULL),
    PUSH("push-cost-64", "lost", "a push into a full lane", 0, 64, yes),
    PUSH("push-cost-408", "delivered", "a push that finds room",
         BENCH_REFERENCE, 408, NULL),
    PUSH("push-cost-408", "lost", "a push into a full lane", 0, 408, yes),
    BELLS("records, flush 1", "64 lanes in turn, consumer spins 20 us", 1,
          NULL),
    BELLS("records, flush 32", "64 lanes in turn, consumer spins 20 us", 32,
          NULL),
    BELLS("requests, flush 1", "64 vCPUs, both directions, each spins 20 us", 1,
          yes),
    BELLS("requests, flush 32", "64 vCPUs, both directions, each spins 20 us",
          32, yes),
};

const struct bench_table async_costs_cases = {cases,
                                              sizeof(cases) / sizeof(cases[0])};
