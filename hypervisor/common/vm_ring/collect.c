/* SPDX-License-Identifier: GPL-2.0-only */
/* collect.c: from the ring to the vCPUs: answers, and deadlines. */
#include <xen/event.h>
#include <xen/vm_event.h>

#include "ring.h"

/* After so long the rest is collected, when it is too much for one turn. */
#define SOON MICROSECS(50)

/*
 * Tries to arm while a consumer sets hints for nothing; and after how long the
 * next ones, so that it costs others little.
 */
#define MAX_ARMINGS 8
#define LATER       MILLISECS(1)

void ring_give(struct vm_ring *ring, const struct xen_vm_ring_event *event,
               const struct xen_vm_ring_response *response)
{
    struct vcpu *v = ring->domain->vcpu[event->vcpu];
    struct ring_vcpu *rv = ring->vcpus[event->vcpu];
    unsigned int nr = rv->nr_answers;

    if ( nr < RING_ANSWERS )
    {
        static const struct xen_vm_ring_response neutral;

        if ( vm_event_respond(event, response, RING_ARCH, true,
                              &rv->answers[nr]) == CONVERT_OK ||
             vm_event_respond(event, &neutral, RING_ARCH, true,
                              &rv->answers[nr]) == CONVERT_OK )
        {
            /* Pairs with vm_ring_resume(). */
            smp_wmb();
            write_atomic(&rv->nr_answers, nr + 1);
        }
    }
    vm_event_vcpu_unpause(v);
}

static void account(struct vm_ring *ring, const struct vmr_verdict *verdict)
{
    const struct xen_vm_ring_event *event = &verdict->request.event;
    struct ring_tally *tally = &ring->vcpus[event->vcpu]->tally[event->reason];

    ring->pending--;
    switch ( verdict->by )
    {
    case VMR_BY_CONSUMER:
        tally->answered++;
        return;
    case VMR_BY_DEADLINE:
        ring->stats.by_deadline++;
        break;
    default:
        ring->stats.by_detach++;
        break;
    }
    tally->defaulted++;
}

bool ring_collect(struct vm_ring *ring, unsigned int most)
{
    while ( most-- )
    {
        if ( !vmr_producer_collect(&ring->core, NOW(), &ring->verdict) )
            return false;
        account(ring, &ring->verdict);
        ring_give(ring, &ring->verdict.request.event, &ring->verdict.response);
    }
    return true;
}

void ring_flush(struct vm_ring *ring)
{
    ring->stats.doorbells_sent +=
        ring_ports_ring(ring->ports, vmr_producer_flush(&ring->core));
}

/* A timer that is set too early finds nothing, and is set again. */
static void be_called(struct vm_ring *ring, s_time_t at)
{
    if ( at >= ring->timer_at )
        return;
    ring->timer_at = at;
    set_timer(&ring->timer, at);
}

void ring_expect(struct vm_ring *ring)
{
    if ( ring->pending && ring->core.next_deadline < STIME_MAX )
        be_called(ring, ring->core.next_deadline);
}

/*
 * Each turn gives as many verdicts as a vCPU can want two of, at most, so that
 * whoever notifies is not kept; what is left is the timer's.
 */
static void collect_and_arm(struct vm_ring *ring)
{
    unsigned int most = 2 * ring->nr_vcpus, i;
    s_time_t rest = LATER;

    for ( i = 0; i < MAX_ARMINGS; i++ )
    {
        if ( ring_collect(ring, most) )
        {
            rest = SOON;
            break;
        }
        ring_flush(ring);
        if ( vmr_producer_arm(&ring->core) )
        {
            ring_expect(ring);
            return;
        }
    }
    ring_flush(ring);
    be_called(ring, NOW() + rest);
}

void ring_doorbell(struct vm_ring *ring)
{
    ring_lock(ring);
    ring->stats.doorbells_heard++;
    if ( ring->active )
        collect_and_arm(ring);
    ring_unlock(ring);
}

void cf_check ring_timer(void *data)
{
    struct vm_ring *ring = data;

    ring_lock(ring);
    ring->timer_at = STIME_MAX;
    if ( ring->active )
        collect_and_arm(ring);
    ring_unlock(ring);
}
