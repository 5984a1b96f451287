/* SPDX-License-Identifier: MIT */
/* sync_vmring.c: round trips through the ring, as core/ has it. */
#include <string.h>

#include "pair.h"
#include "sync.h"
#include "worker.h"

/* The last of a request's registers, and of an answer's. */
#define REGISTER (SYNC_NUMBER - 8)

struct ring {
    struct pair *pair;
    const struct sync_contest *contest;
    void *wake;
};

static void *make(const struct sync_contest *contest, void *wake)
{
    struct pair_plan plan = {
        .nr_vcpus = contest->slots,
        .record_len = XEN_VM_RING_MIN_RECORD,
        .verdicts = XEN_VM_RING_VERDICT_SET_REGISTERS,
        .async_len = (uint64_t)contest->slots * 2 * XEN_VM_RING_MIN_RECORD,
    };
    struct ring *ring = bench_map(sizeof(*ring));

    if (!ring)
        return NULL;
    ring->pair = pair_make(&plan);
    if (!ring->pair) {
        bench_unmap(ring, sizeof(*ring));
        return NULL;
    }
    ring->contest = contest;
    ring->wake = wake;
    return ring;
}

static void end(void *state)
{
    struct ring *ring = state;

    pair_end(ring->pair);
    bench_unmap(ring, sizeof(*ring));
}

/* Nothing is there: armed by the rules, or looked at once more. */
static void rest(struct ring *ring, int side, bool armed)
{
    if (!ring->wake)
        bench_relax();
    else if (armed)
        ring->contest->wake->sleep(ring->wake, side);
}

static bool call(void *state, uint32_t slot, uint64_t number)
{
    struct ring *ring = state;
    struct vmr_producer *tx = &ring->pair->tx;
    struct vmr_request request;
    struct vmr_verdict verdict;

    memset(&request, 0, sizeof(request));
    request.event.reason = XEN_VM_RING_REASON_CPUID;
    request.event.vcpu = (uint16_t)slot;
    request.event.length = XEN_VM_RING_EVENT_FULL;
    request.event.regs.words[REGISTER] = number;
    request.deadline = VMR_NO_DEADLINE - 1;
    if (!vmr_producer_post(tx, &request))
        return false;
    if (vmr_producer_flush(tx) && ring->wake)
        ring->contest->wake->wake(ring->wake, SYNC_SERVER);
    while (!vmr_producer_collect(tx, 0, &verdict))
        rest(ring, SYNC_CALLER, ring->wake && vmr_producer_arm(tx));
    return verdict.by == VMR_BY_CONSUMER &&
           verdict.request.event.vcpu == slot &&
           verdict.response.data.words[REGISTER] == number;
}

static void answer(struct ring *ring, const struct xen_vm_ring_event *event,
                   uint32_t vcpu)
{
    struct vmr_consumer *rx = &ring->pair->rx;
    struct xen_vm_ring_response response;

    memset(&response, 0, sizeof(response));
    response.flags = XEN_VM_RING_FLAG_SET_REGISTERS;
    response.reason = event->reason;
    response.data = event->regs;
    if (vmr_consumer_answer(rx, vcpu, event->state, &response) &&
        vmr_consumer_flush(rx, 0) && ring->wake)
        ring->contest->wake->wake(ring->wake, SYNC_CALLER);
}

static void serve(void *state, const uint32_t *done)
{
    struct ring *ring = state;
    struct vmr_consumer *rx = &ring->pair->rx;
    struct xen_vm_ring_event event;
    uint32_t vcpu;

    while (!__atomic_load_n(done, __ATOMIC_ACQUIRE)) {
        switch (vmr_consumer_next(rx, 0, &event, &vcpu)) {
        case VMR_NEXT_REQUEST:
            answer(ring, &event, vcpu);
            break;
        case VMR_NEXT_NONE:
            rest(ring, SYNC_SERVER, ring->wake && vmr_consumer_arm(rx, 0));
            if (ring->wake)
                vmr_consumer_disarm(rx, 0);
            break;
        default:
            break;
        }
    }
}

const struct sync_ops sync_vmring = {make, end, call, serve};
