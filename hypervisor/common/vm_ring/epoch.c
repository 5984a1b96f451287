/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * epoch.c: a ring's life.  All under the domctl lock, but for vm_ring_free();
 * what changes which pages events go to has the domain paused.
 */
#include <xen/event.h>
#include <xen/monitor.h>
#include <xen/random.h>
#include <xen/vm_event.h>
#include <xen/vmap.h>

#include <asm/monitor.h>
#include <asm/vm_event.h>

#include "ring.h"

/* ----------------------------------------------------------- a ring -- */

static void free_ring(struct vm_ring *ring)
{
    unsigned int i;

    for ( i = 0; ring->vcpus && i < ring->nr_vcpus && ring->vcpus[i]; i++ )
    {
        kill_timer(&ring->vcpus[i]->timer);
        xfree(ring->vcpus[i]);
    }
    xfree(ring->vcpus);
    vfree(ring->core_memory);
    xfree(ring);
}

static struct vm_ring *alloc_ring(struct domain *d)
{
    struct vm_ring *ring = xzalloc(struct vm_ring);
    unsigned int i;

    if ( !ring )
        return NULL;
    spin_lock_init(&ring->lock);
    ring->domain = d;
    ring->nr_vcpus = d->max_vcpus;
    ring->other_pages = d->extra_pages;
    for ( i = 0; i < XEN_VM_RING_MAX_GROUPS; i++ )
        spin_lock_init(&ring->groups[i].lock);
    /* Of many vCPUs too much to ask for in one piece. */
    ring->core_memory = vzalloc(
        vmr_producer_size(ring->nr_vcpus, ring->nr_vcpus));
    ring->vcpus = xzalloc_array(struct ring_vcpu *, ring->nr_vcpus);
    for ( i = 0; ring->vcpus && i < ring->nr_vcpus; i++ )
    {
        struct ring_vcpu *rv = xzalloc(struct ring_vcpu);

        if ( !rv )
            break;
        rv->ring = ring;
        rv->vcpu = d->vcpu[i];
        rv->timer_at = STIME_MAX;
        init_timer(&rv->timer, ring_vcpu_timer, rv, rv->vcpu->processor);
        ring->vcpus[i] = rv;
    }
    if ( !ring->core_memory || !ring->vcpus || i < ring->nr_vcpus )
    {
        free_ring(ring);
        return NULL;
    }
    init_timer(&ring->timer, ring_timer, ring, 0);
    vmr_producer_init(&ring->core, ring->core_memory, ring->nr_vcpus,
                      ring->nr_vcpus);
    return ring;
}

/* What it counts begins anew; what is settled is left for its vCPU to apply. */
static void reset(struct vm_ring *ring)
{
    unsigned int i;

    for ( i = 0; i < ring->nr_vcpus; i++ )
    {
        struct ring_vcpu *rv = ring->vcpus[i];

        memset(rv->tally, 0, sizeof(rv->tally));
        rv->by_deadline = rv->by_detach = rv->by_overflow = rv->doorbells = 0;
        rv->not_injected = 0;
        ring->core.slots[i].ignored = 0;
    }
    for ( i = 0; i < XEN_VM_RING_MAX_GROUPS; i++ )
        ring->groups[i].heard = 0;
    ring->core.lane_faults = 0;
    ring->abandoned = ring->doorbells = 0;
    ring->handle = 0;
    ring->resource = 0;
}

int ring_make(struct domain *d)
{
    int rc;

    if ( !d->vm_ring )
    {
        struct vm_ring *ring = alloc_ring(d);

        if ( !ring )
            return -ENOMEM;
        /* Whoever sees it sees it whole; it is gone with the domain alone. */
        smp_wmb();
        d->vm_ring = ring;
    }
    if ( ring_is_made(d->vm_ring) )
        return 0;
    rc = vm_event_init_domain(d);
    if ( !rc )
        rc = arch_monitor_init_domain(d);
    if ( rc )
        return rc;
    reset(d->vm_ring);
    return 0;
}

void vm_ring_free(struct domain *d)
{
    if ( !d->vm_ring )
        return;
    kill_timer(&d->vm_ring->timer);
    free_ring(d->vm_ring);
    d->vm_ring = NULL;
    /* What ring_make() has made; without a legacy ring nobody else frees it. */
    arch_monitor_cleanup_domain(d);
}

/* ----------------------------------------------------------- epochs -- */

/* What is answered is so, however late its vCPU comes; the domain is paused. */
static void keep_answers(struct vm_ring *ring)
{
    unsigned int v;

    for ( v = 0; v < ring->nr_vcpus; v++ )
    {
        struct ring_vcpu *rv = ring->vcpus[v];

        if ( vmr_vcpu_keep(&ring->core, v, &rv->kept) )
            rv->tally[rv->kept.reason].answered++;
    }
}

/* The last look at what a consumer has left; the domain is paused. */
static void look_last(struct vm_ring *ring)
{
    keep_answers(ring);
    /* It has no foreign lane, which alone would make it wait. */
    (void)vmr_producer_let_go(&ring->core);
}

/* All that is pending has the neutral verdict; the domain is paused. */
static void release(struct vm_ring *ring)
{
    unsigned int v, i;

    for ( v = 0; v < ring->nr_vcpus; v++ )
    {
        const struct vmr_slot_tx *slot = &ring->core.slots[v];
        struct ring_vcpu *rv = ring->vcpus[v];

        for ( i = slot->settled; i < slot->nr; i++ )
        {
            rv->by_detach++;
            rv->tally[slot->fifo[(slot->first + i) % VMR_FIFO]->event.reason]
                .defaulted++;
        }
        vmr_vcpu_release(&ring->core, v);
    }
}

/* Each vCPU that has been settled goes on; it wakes for nothing otherwise. */
static void wake_settled(struct vm_ring *ring)
{
    unsigned int v;

    for ( v = 0; v < ring->nr_vcpus; v++ )
        if ( vmr_vcpu_is_settled(&ring->core, v) )
            ring_wake(ring->vcpus[v]);
}

unsigned int ring_pending(const struct vm_ring *ring)
{
    unsigned int v, nr = 0;

    for ( v = 0; v < ring->nr_vcpus; v++ )
    {
        const struct vmr_slot_tx *slot = &ring->core.slots[v];
        unsigned int all = read_atomic(&slot->nr), settled;

        /*
         * Of a vCPU that runs the two are not of one instant.  It retires by
         * settled, then nr: in this order what waits is not overlooked.
         */
        smp_rmb();
        settled = read_atomic(&slot->settled);
        if ( all > settled )
            nr += all - settled;
    }
    return nr;
}

void ring_settle(struct vm_ring *ring)
{
    struct domain *d = ring->domain;

    if ( !ring->active || d->is_dying || !ring_pending(ring) )
        return;
    domain_pause(d);
    keep_answers(ring);
    wake_settled(ring);
    domain_unpause(d);
}

static uint64_t unread(const struct vm_ring *ring)
{
    uint64_t sum = 0;
    unsigned int i;

    for ( i = 0; i < ring->nr_vcpus; i++ )
    {
        uint64_t nr = ring->core.lanes[i].head - ring->core.lanes[i].cons;

        /* What was overwritten is no longer there, and was counted. */
        sum += min(nr, ring->core.geo.nr_records);
    }
    return sum;
}

void ring_forget_oldest(struct vm_ring *ring)
{
    ring->abandoned += ring->prev_unread[0];
    ring_let_go(ring, &ring->prev[0]);
    ring->nr_prev--;
    memmove(ring->prev, ring->prev + 1, ring->nr_prev * sizeof(ring->prev[0]));
    memmove(ring->prev_unread, ring->prev_unread + 1,
            ring->nr_prev * sizeof(ring->prev_unread[0]));
}

/* The P that was in use is kept for who comes next; the oldest gives way. */
static void keep_frozen(struct vm_ring *ring)
{
    if ( !ring->p.at )
        return;
    if ( ring->nr_prev == RING_MAX_PREV )
        ring_forget_oldest(ring);
    ring->prev_unread[ring->nr_prev] = unread(ring);
    ring->prev[ring->nr_prev++] = ring->p;
    ring->p = (struct ring_pages){};
}

/* What is pending counts in the epoch that begins. */
static void begin_ledger(struct vm_ring *ring)
{
    unsigned int v, i;

    for ( v = 0; v < ring->nr_vcpus; v++ )
    {
        const struct vmr_slot_tx *slot = &ring->core.slots[v];
        struct ring_vcpu *rv = ring->vcpus[v];

        memcpy(rv->base, rv->tally, sizeof(rv->base));
        for ( i = slot->settled; i < slot->nr; i++ )
            rv->base[slot->fifo[(slot->first + i) % VMR_FIFO]->event.reason]
                .requests--;
    }
}

/* All vCPUs are off their CPUs. */
void ring_begin_epoch(struct vm_ring *ring, struct ring_ports *ports)
{
    struct ring_ports *old;

    ring_groups_off(ring);
    ring_lock(ring);
    if ( ring->active )
        look_last(ring);
    if ( ring->core.header )
        (void)vmr_producer_freeze(&ring->core);
    keep_frozen(ring);
    ring_let_go(ring, &ring->c);
    ring->p = ring->new_p;
    ring->c = ring->new_c;
    ring->new_p = ring->new_c = (struct ring_pages){};
    old = ring->ports;
    rcu_assign_pointer(ring->ports, ports);
    begin_ledger(ring);
    vmr_geometry_publish(&ring->new_geo, ring->p.at);
    vmr_producer_attach(&ring->core, &ring->new_geo, ring->p.at, ring->c.at);
    ring->target_state = XEN_VM_RING_TARGET_RUNNING;
    (void)ring_set_target(ring);
    ring->deadline = ring->new_geo.deadline ?: VMR_NO_DEADLINE;
    ring->epoch = ring->new_geo.epoch;
    ring->handle = ring->making;
    ring->making = 0;
    ring->resource = get_random() & ~0xfU;
    ring->attached_at = NOW();
    ring->active = true;
    ring->doorbells +=
        ring_ports_ring(ring->ports, vmr_producer_flush(&ring->core));
    ring_unlock(ring);
    ring_groups_on(ring);
    wake_settled(ring);
    ring_ports_close(old);
}

/* ------------------------------------------------- detach and after -- */

/* Under the lock; who closes them waits for whoever may be ringing them. */
static struct ring_ports *take_ports(struct vm_ring *ring)
{
    struct ring_ports *ports = ring->ports;

    rcu_assign_pointer(ring->ports, NULL);
    return ports;
}

void ring_lose_agent(struct vm_ring *ring)
{
    struct ring_ports *ports;

    ring_lock(ring);
    ports = take_ports(ring);
    ring_unlock(ring);
    ring_ports_close(ports);
}

#ifdef CONFIG_X86
/* What the monitor has set in vCPUs for its events, and does not take back. */
static void disarm_vcpu(struct vcpu *v, bool descriptors)
{
    v->arch.hvm.single_step = false;
    v->arch.hvm.fast_single_step.enabled = false;
    v->arch.hvm.fast_single_step.p2midx = 0;
    v->arch.monitor.next_interrupt_enabled = false;
    if ( descriptors )
        alternative_vcall(hvm_funcs.set_descriptor_access_exiting, v, false);
    /* CR3 is intercepted no more than it has to be. */
    hvm_update_guest_cr(v, 0);
}
#endif

/* All vCPUs are off their CPUs. */
static void disarm(struct domain *d)
{
#ifdef CONFIG_X86
    struct monitor_msr_bitmap *msrs = d->arch.monitor.msr_bitmap;
    bool descriptors = d->arch.monitor.descriptor_access_enabled;
    struct vcpu *v;

    /* Kept: MSRs can be asked for again, and it cannot fail. */
    d->arch.monitor.msr_bitmap = NULL;
    arch_monitor_cleanup_domain(d);
    if ( msrs )
        memset(msrs, 0, 2 * sizeof(*msrs));
    d->arch.monitor.msr_bitmap = msrs;
    d->arch.mem_access_emulate_each_rep = false;
    for_each_vcpu ( d, v )
        disarm_vcpu(v, descriptors);
#endif
    /* Of arm this is all there is. */
    memset(&d->monitor, 0, sizeof(d->monitor));
}

void ring_disarm(struct domain *d)
{
    domain_pause(d);
    disarm(d);
    domain_unpause(d);
}

/*
 * Nobody is there to answer: no event may be armed then, as the monitor would
 * still put off what a vCPU writes until its answer, and not pause the vCPU.
 */
void ring_detach(struct vm_ring *ring)
{
    struct ring_ports *ports;
    struct domain *d = ring->domain;

    if ( !ring->active )
        return;
    domain_pause(d);
    ring_groups_off(ring);
    ring_lock(ring);
    look_last(ring);
    release(ring);
    ring->active = false;
    ports = take_ports(ring);
    ring_let_go(ring, &ring->c);
    ring_unlock(ring);
    /* Not under the lock: VMX may have to ask another CPU for a VMCS. */
    if ( !d->is_dying )
        disarm(d);
    wake_settled(ring);
    domain_unpause(d);
    ring_ports_close(ports);
}

void ring_drained(struct vm_ring *ring)
{
    ring_lock(ring); /* excludes vm_ring_acquire() */
    while ( ring->nr_prev )
        ring_let_go(ring, &ring->prev[--ring->nr_prev]);
    ring_unlock(ring);
}

void ring_destroy(struct vm_ring *ring)
{
    struct domain *d = ring->domain;

    ring_detach(ring);
    ring_drained(ring);
    if ( !d->is_dying )
        ring_disarm(d);
    domain_pause(d);
    ring_lock(ring);
    (void)vmr_producer_leave(&ring->core);
    ring_let_go(ring, &ring->p);
    ring_unlock(ring);
    domain_unpause(d);
    /* Of a domain that dies the counts stay until nobody maps the ring. */
    if ( !d->is_dying )
        reset(ring);
}
