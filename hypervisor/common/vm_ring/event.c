/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * event.c: from a vCPU into the ring.
 *
 * Nothing here waits: a request finds a place in its vCPU's queue, or the vCPU
 * goes on as without an agent; a record finds a slot of its vCPU's lane, or is
 * counted.  Nothing here takes a lock of ours, either.
 */
#include <xen/event.h>
#include <xen/vm_event.h>

#include <asm/altp2m.h>
#include <asm/vm_event.h>

#include "ring.h"

/* After so long a doorbell is tried again that others of ours kept us from. */
#define SOON MICROSECS(50)

bool vm_ring_exists(const struct domain *d)
{
    const struct vm_ring *ring = d->vm_ring;
    unsigned int i;

    if ( !ring || ring_is_made(ring) )
        return ring;
    /*
     * What a verdict is applied to goes with the legacy ring: that waits until
     * each vCPU has applied what it was given.  Pairs with vm_ring_resume().
     */
    for ( i = 0; i < ring->nr_vcpus; i++ )
        if ( read_atomic(&ring->core.slots[i].nr) )
            return true;
    return false;
}

bool vm_ring_active(const struct domain *d)
{
    return d->vm_ring && d->vm_ring->active;
}

/* Who takes the ports away does so without waiting for us. */
static DEFINE_RCU_READ_LOCK(ports_lock);

void ring_tell(struct ring_vcpu *rv, enum vmr_flush flush)
{
    struct vm_ring *ring = rv->ring;

    if ( flush == VMR_FLUSH_AGAIN )
        ring_wake_by(rv, NOW() + SOON);
    if ( flush != VMR_FLUSH_RING )
        return;
    rcu_read_lock(&ports_lock);
    rv->doorbells +=
        ring_ports_ring(rcu_dereference(ring->ports),
                        1ULL << vmr_group_of(&ring->core.geo,
                                             rv->vcpu->vcpu_id));
    rcu_read_unlock(&ports_lock);
}

static bool convert(const struct vm_ring *ring, const vm_event_request_t *req,
                    struct xen_vm_ring_event *event)
{
    if ( vm_event_head_to_ring(req, ring->nr_vcpus, event) != CONVERT_OK )
    {
        ASSERT_UNREACHABLE();
        return false;
    }
    event->time = NOW();
    return true;
}

static void fill_regs(vm_event_request_t *req, union xen_vm_ring_tail *regs)
{
    vm_event_fill_regs(req);
    vm_event_regs_to_ring(req, RING_ARCH, regs);
}

/*
 * Bounded without a lock: nobody else touches this lane.  The registers go into
 * the ring itself, and are not looked for if there is no room for them.
 */
static void push(struct vm_ring *ring, struct ring_vcpu *rv,
                 vm_event_request_t *req)
{
    unsigned int id = rv->vcpu->vcpu_id;
    union xen_vm_ring_tail *regs;

    if ( !convert(ring, req, &rv->event) )
        return;
    rv->tally[rv->event.reason].records++;
    if ( !vmr_producer_reserve_own(&ring->core, id, &rv->event, &regs) )
        rv->tally[rv->event.reason].discarded++;
    else
    {
        if ( regs )
            fill_regs(req, regs);
        vmr_producer_commit_own(&ring->core, id);
    }
    ring_tell(rv, vmr_producer_flush_own(&ring->core, id));
}

static uint64_t deadline_of(uint64_t time, uint64_t within)
{
    return within > VMR_NO_DEADLINE - time ? VMR_NO_DEADLINE : time + within;
}

/* false: the vCPU goes on as if nobody were to be asked. */
static bool post(struct vm_ring *ring, struct ring_vcpu *rv,
                 vm_event_request_t *req)
{
    unsigned int id = rv->vcpu->vcpu_id;
    struct vmr_request *request = vmr_vcpu_reserve(&ring->core, id);
    /* Filled in where it waits for its verdict. */
    struct xen_vm_ring_event *event = request ? &request->event : &rv->event;

    if ( !convert(ring, req, event) )
        return false;
    rv->tally[event->reason].requests++;
    if ( !request )
    {
        rv->by_overflow++;
        rv->tally[event->reason].defaulted++;
        return false;
    }
    fill_regs(req, &event->regs);
    request->deadline = deadline_of(event->time, ring->deadline);
    /* Asleep first: it may be answered before the call below returns. */
    vm_event_sync_event(rv->vcpu, true);
    ring_sleep(rv);
    ring_tell(rv, vmr_vcpu_post(&ring->core, id));
    ring_expect(rv);
    return true;
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
    if ( sync )
        return post(ring, rv, req);
    push(ring, rv, req);
    return 0;
}

/* Another than what it was told last. */
static bool has_changed(struct vm_ring *ring)
{
    const struct domain *d = ring->domain;
    uint64_t state = XEN_VM_RING_TARGET_RUNNING;

    if ( d->is_dying )
        state = XEN_VM_RING_TARGET_DESTROYED;
    else if ( domain_shutting_down(d) )
        state = XEN_VM_RING_TARGET_SHUTDOWN;
    else if ( read_atomic(&d->controller_pause_count) )
        state = XEN_VM_RING_TARGET_PAUSED;
    if ( state == ring->target_state )
        return false;
    ring->target_state = state;
    return true;
}

bool ring_set_target(struct vm_ring *ring)
{
    unsigned int code = ring->domain->shutdown_code;

    if ( !has_changed(ring) )
        return false;
    vmr_producer_set_target(&ring->core, ring->target_state,
                            code == SHUTDOWN_CODE_INVALID ? 0 : code);
    return true;
}

void vm_ring_life(struct domain *d)
{
    struct vm_ring *ring = d->vm_ring;

    if ( !ring )
        return;
    ring_lock(ring);
    if ( ring->core.header && ring_set_target(ring) )
    {
        if ( d->is_dying )
            vmr_producer_set_state(&ring->core, XEN_VM_RING_PRODUCER_CLOSED);
        ring->doorbells +=
            ring_ports_ring(ring->ports, vmr_producer_wake(&ring->core));
    }
    ring_unlock(ring);
}

/* domain_kill() has paused every vCPU, and none will run again. */
int vm_ring_teardown(struct domain *d)
{
    struct vm_ring *ring = d->vm_ring;
    unsigned int i;
    /* It may be an agent's. */
    int rc = ring_ports_forget(d);

    if ( rc || !ring )
        return rc;
    /* Nobody is to be woken of what is taken down piece by piece now. */
    for ( i = 0; i < ring->nr_vcpus; i++ )
        kill_timer(&ring->vcpus[i]->timer);
    if ( ring->active )
        vm_ring_life(d);
    ring_give_up(ring);
    if ( ring_is_made(ring) )
        ring_destroy(ring);
    return ring_reap(ring);
}
