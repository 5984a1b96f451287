/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * event.c: from a vCPU into the ring.
 *
 * Nothing here waits: a request finds a place in its vCPU's queue, or has the
 * neutral verdict at once; a record finds a slot of its vCPU's lane, or is
 * counted.
 */
#include <xen/event.h>
#include <xen/vm_event.h>

#include <asm/altp2m.h>
#include <asm/vm_event.h>

#include "ring.h"

bool vm_ring_exists(const struct domain *d)
{
    const struct vm_ring *ring = d->vm_ring;
    unsigned int i;

    if ( !ring || ring->made )
        return ring;
    /*
     * What a verdict is applied to goes with the legacy ring: that waits until
     * each vCPU has applied what it was given.
     */
    for ( i = 0; i < ring->nr_vcpus; i++ )
        if ( read_atomic(&ring->vcpus[i]->nr_answers) )
            return true;
    return false;
}

bool vm_ring_active(const struct domain *d)
{
    return d->vm_ring && d->vm_ring->active;
}

/* Who takes the ports away does so without waiting for us. */
static DEFINE_RCU_READ_LOCK(ports_lock);

static void ring_group_of(struct vm_ring *ring, const struct vcpu *v)
{
    rcu_read_lock(&ports_lock);
    ring_ports_ring(rcu_dereference(ring->ports),
                    1ULL << vmr_group_of(&ring->core.geo, v->vcpu_id));
    rcu_read_unlock(&ports_lock);
}

/*
 * Bounded without a lock: nobody else touches this lane.  The registers go into
 * the ring itself, and are not looked for if there is no room for them.
 */
static void push(struct vm_ring *ring, struct vcpu *v, struct ring_vcpu *rv,
                 vm_event_request_t *req)
{
    struct ring_tally *tally = &rv->tally[rv->event.reason];
    union xen_vm_ring_tail *regs;

    tally->records++;
    if ( !vmr_producer_reserve_own(&ring->core, v->vcpu_id, &rv->event, &regs) )
        tally->discarded++;
    else
    {
        if ( regs )
        {
            vm_event_fill_regs(req);
            vm_event_regs_to_ring(req, RING_ARCH, regs);
        }
        vmr_producer_commit_own(&ring->core, v->vcpu_id);
    }
    if ( vmr_producer_flush_own(&ring->core, v->vcpu_id) == VMR_FLUSH_RING )
        ring_group_of(ring, v);
}

static uint64_t deadline_of(uint64_t time, uint64_t within)
{
    return within > VMR_NO_DEADLINE - time ? VMR_NO_DEADLINE : time + within;
}

static void post(struct vm_ring *ring, struct vcpu *v, struct ring_vcpu *rv,
                 vm_event_request_t *req)
{
    static const struct xen_vm_ring_response neutral;

    vm_event_fill_regs(req);
    vm_event_regs_to_ring(req, RING_ARCH, &rv->event.regs);
    rv->request.event = rv->event;
    rv->request.deadline = deadline_of(rv->event.time, ring->deadline);
    rv->request.overdue = false;
    /* Paused first: it may be answered before the call below returns. */
    vm_event_sync_event(v, true);
    vm_event_vcpu_pause(v);

    ring_lock(ring);
    rv->tally[rv->event.reason].requests++;
    if ( vmr_producer_post(&ring->core, &rv->request) )
    {
        ring->pending++;
        ring_flush(ring);
        ring_expect(ring);
    }
    else
    {
        ring->stats.by_overflow++;
        rv->tally[rv->event.reason].defaulted++;
        ring_give(ring, &rv->event, &neutral);
    }
    ring_unlock(ring);
}

int vm_ring_event(struct vcpu *v, bool sync, vm_event_request_t *req)
{
    struct domain *d = v->domain;
    struct vm_ring *ring = d->vm_ring;
    struct ring_vcpu *rv = ring->vcpus[v->vcpu_id];

    /* What it fills in are the registers of the vCPU that runs. */
    ASSERT(v == current);
    req->version = VM_EVENT_INTERFACE_VERSION;
    req->vcpu_id = v->vcpu_id;
    if ( sync )
        req->flags |= VM_EVENT_FLAG_VCPU_PAUSED;
    if ( altp2m_active(d) )
    {
        req->flags |= VM_EVENT_FLAG_ALTERNATE_P2M;
        req->altp2m_idx = altp2m_vcpu_idx(v);
    }
    if ( vm_event_head_to_ring(req, ring->nr_vcpus, &rv->event) != CONVERT_OK )
    {
        ASSERT_UNREACHABLE();
        return 0;
    }
    rv->event.time = NOW();
    if ( sync )
        post(ring, v, rv, req);
    else
        push(ring, v, rv, req);
    return sync;
}

static void set_target(struct domain *d, uint64_t state, uint64_t reason)
{
    struct vm_ring *ring = d->vm_ring;

    if ( !ring )
        return;
    ring_lock(ring);
    if ( ring->core.header )
    {
        vmr_producer_set_target(&ring->core, state, reason);
        if ( state == XEN_VM_RING_TARGET_DESTROYED )
            vmr_producer_set_state(&ring->core, XEN_VM_RING_PRODUCER_CLOSED);
        ring_flush(ring);
        ring->stats.doorbells_sent +=
            ring_ports_ring(ring->ports, vmr_producer_wake(&ring->core));
    }
    ring_unlock(ring);
}

void vm_ring_shutdown(struct domain *d, unsigned int reason)
{
    set_target(d, XEN_VM_RING_TARGET_SHUTDOWN, reason);
}

void vm_ring_unshutdown(struct domain *d)
{
    set_target(d, XEN_VM_RING_TARGET_RUNNING, 0);
}

/* domain_kill() has paused every vCPU, and none will run again. */
int vm_ring_teardown(struct domain *d)
{
    struct vm_ring *ring = d->vm_ring;

    /* It may be an agent's. */
    ring_ports_forget(d);
    if ( !ring || !ring->made )
        return 0;
    if ( ring->active )
        set_target(d, XEN_VM_RING_TARGET_DESTROYED,
                   d->shutdown_code == SHUTDOWN_CODE_INVALID
                   ? 0 : d->shutdown_code);
    return ring_destroy(ring);
}
