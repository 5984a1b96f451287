/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * epoch.c: a ring's life.  All under the domctl lock, but for vm_ring_free();
 * what changes which pages events go to has the domain paused.
 */
#include <xen/event.h>
#include <xen/monitor.h>
#include <xen/random.h>
#include <xen/vm_event.h>

#include <asm/monitor.h>
#include <asm/vm_event.h>

#include "ring.h"

/* Within so long after it has attached a consumer binds its ports. */
#define TIME_TO_BIND SECONDS(1)

/* ------------------------------------------------------ what goes -- */

static void let_go(struct vm_ring *ring, struct ring_pages *pages)
{
    if ( !pages->mfns )
        return;
    ASSERT(ring->nr_going < ARRAY_SIZE(ring->going));
    ring->going[ring->nr_going++] = *pages;
    *pages = (struct ring_pages){};
}

static int reap(struct vm_ring *ring)
{
    while ( ring->nr_going )
    {
        int rc = ring_pages_free(&ring->going[ring->nr_going - 1],
                                 !ring->domain->is_dying);

        if ( rc )
            return rc;
        ring->nr_going--;
    }
    return 0;
}

/* ----------------------------------------------------------- a ring -- */

static void free_ring(struct vm_ring *ring)
{
    unsigned int i;

    for ( i = 0; ring->vcpus && i < ring->nr_vcpus; i++ )
        xfree(ring->vcpus[i]);
    xfree(ring->vcpus);
    xfree(ring->core_memory);
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
    ring->timer_at = STIME_MAX;
    ring->core_memory = xzalloc_bytes(
        vmr_producer_size(ring->nr_vcpus, ring->nr_vcpus));
    ring->vcpus = xzalloc_array(struct ring_vcpu *, ring->nr_vcpus);
    for ( i = 0; ring->vcpus && i < ring->nr_vcpus; i++ )
    {
        ring->vcpus[i] = xzalloc(struct ring_vcpu);
        if ( !ring->vcpus[i] )
            break;
    }
    if ( !ring->core_memory || !ring->vcpus || i < ring->nr_vcpus )
    {
        free_ring(ring);
        return NULL;
    }
    init_timer(&ring->timer, ring_timer, ring, 0);
    return ring;
}

static void forget_pages(struct vm_ring *ring)
{
    vmr_producer_init(&ring->core, ring->core_memory, ring->nr_vcpus,
                      ring->nr_vcpus);
}

/* What it counts begins anew; a vCPU's verdicts are left for it to apply. */
static void reset(struct vm_ring *ring)
{
    unsigned int i;

    forget_pages(ring);
    for ( i = 0; i < ring->nr_vcpus; i++ )
        memset(ring->vcpus[i]->tally, 0, sizeof(ring->vcpus[i]->tally));
    memset(&ring->stats, 0, sizeof(ring->stats));
    ring->pending = 0;
    ring->handle = 0;
    ring->resource = 0;
}

static int make_ring(struct domain *d)
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
    if ( d->vm_ring->made )
        return 0;
    rc = vm_event_init_domain(d);
    if ( !rc )
        rc = arch_monitor_init_domain(d);
    if ( rc )
        return rc;
    reset(d->vm_ring);
    d->vm_ring->made = true;
    return 0;
}

void vm_ring_free(struct domain *d)
{
    if ( !d->vm_ring )
        return;
    kill_timer(&d->vm_ring->timer);
    free_ring(d->vm_ring);
    d->vm_ring = NULL;
}

/* ---------------------------------------------------------- attach -- */

static uint64_t random64(void)
{
    uint64_t number = (uint64_t)get_random() << 32 | get_random();

    return number ?: 1;
}

/* A consumer of which nothing is left has given up its place. */
static bool is_busy(const struct vm_ring *ring)
{
    return ring->active &&
           (ring_ports_bound(ring->ports) ||
            (!ring_ports_heard(ring->ports) &&
             NOW() < ring->attached_at + TIME_TO_BIND));
}

static bool lay_out(struct vm_ring *ring, struct xen_vm_ring_accept *accept)
{
    struct vmr_geometry *geo = &ring->new_geo;

    *geo = (struct vmr_geometry){
        .features = accept->features,
        .epoch = ring->epoch + 1,
        .deadline = accept->deadline,
        .nr_vcpus = ring->nr_vcpus,
        .nr_lanes = ring->nr_vcpus,
        .nr_groups = accept->nr_groups,
        .loss_policy = accept->policy,
        .verdicts = accept->verdicts,
        .arch = accept->arch,
        .clock = XEN_VM_RING_CLOCK_SYSTEM,
        .record_len = accept->record_len,
        .minor = accept->version & 0xffff,
        .source = XEN_VM_RING_SOURCE_XEN,
    };
    if ( !vmr_geometry_lay_out(geo, accept->async_len) )
        return false;
    ring->new_p = (struct ring_pages){.nr = PFN_UP(geo->p_len)};
    ring->new_c = (struct ring_pages){.nr = PFN_UP(geo->c_len)};
    return true;
}

static int alloc_pages(struct vm_ring *ring)
{
    int rc = ring_pages_alloc(ring->domain, &ring->new_p);

    if ( !rc )
        rc = ring_pages_alloc(ring->domain, &ring->new_c);
    if ( !rc )
        rc = ring_pages_map(&ring->new_p);
    if ( !rc )
        rc = ring_pages_map(&ring->new_c);
    return rc;
}

/* The last look at what a consumer has left; the domain is paused. */
static void sweep(struct vm_ring *ring)
{
    vmr_producer_sweep(&ring->core);
    while ( ring->core.sweeping )
        ring_collect(ring, 1);
}

static uint64_t unread(const struct vm_ring *ring)
{
    uint64_t sum = 0;
    unsigned int i;

    for ( i = 0; i < ring->nr_vcpus; i++ )
        sum += ring->core.lanes[i].head - ring->core.lanes[i].cons;
    return sum;
}

/* The P that was in use is kept for who comes next; the oldest gives way. */
static void keep_frozen(struct vm_ring *ring)
{
    if ( !ring->p.at )
        return;
    if ( ring->nr_prev == RING_MAX_PREV )
    {
        ring->stats.abandoned += ring->prev_unread[0];
        let_go(ring, &ring->prev[0]);
        ring->nr_prev--;
        memmove(ring->prev, ring->prev + 1,
                ring->nr_prev * sizeof(ring->prev[0]));
        memmove(ring->prev_unread, ring->prev_unread + 1,
                ring->nr_prev * sizeof(ring->prev_unread[0]));
    }
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
        for ( i = 0; i < slot->nr; i++ )
            rv->base[slot->fifo[(slot->first + i) % VMR_FIFO]->event.reason]
                .requests--;
    }
}

/* All vCPUs are off their CPUs. */
static void begin_epoch(struct vm_ring *ring, struct ring_ports *ports)
{
    struct ring_ports *old;
    struct domain *d = ring->domain;

    ring_lock(ring);
    if ( ring->active )
        sweep(ring);
    if ( ring->core.header )
        (void)vmr_producer_freeze(&ring->core);
    keep_frozen(ring);
    let_go(ring, &ring->c);
    ring->p = ring->new_p;
    ring->c = ring->new_c;
    ring->new_p = ring->new_c = (struct ring_pages){};
    old = ring->ports;
    ring->ports = ports;
    begin_ledger(ring);
    vmr_geometry_publish(&ring->new_geo, ring->p.at);
    vmr_producer_attach(&ring->core, &ring->new_geo, ring->p.at, ring->c.at);
    if ( d->is_shutting_down )
        vmr_producer_set_target(&ring->core, XEN_VM_RING_TARGET_SHUTDOWN,
                                d->shutdown_code);
    ring->deadline = ring->new_geo.deadline ?: VMR_NO_DEADLINE;
    ring->epoch = ring->new_geo.epoch;
    ring->handle = ring->making;
    ring->making = 0;
    ring->resource = get_random() & ~0xfU;
    ring->attached_at = NOW();
    ring->active = true;
    (void)vmr_producer_arm(&ring->core);
    ring_flush(ring);
    ring_expect(ring);
    ring_unlock(ring);
    ring_ports_close(old);
}

static void tell(const struct vm_ring *ring, struct xen_vm_ring_attach *attach)
{
    const struct vmr_geometry *geo = &ring->new_geo;
    struct xen_vm_ring_accept *accept = &attach->accept;
    unsigned int i;

    accept->epoch = geo->epoch;
    accept->async_len = geo->nr_records * geo->nr_lanes * geo->record_len;
    accept->p_len = geo->p_len;
    accept->c_len = geo->c_len;
    for ( i = 0; i < ring->nr_prev; i++ )
        accept->prev_p_len[i] = (uint64_t)ring->prev[i].nr << PAGE_SHIFT;
    attach->resource = ring->resource;
    ring_ports_tell(ring->ports, attach->ports);
}

/* Nothing of it is there any more, but for what reap() has to free. */
static int refuse(struct vm_ring *ring, struct xen_vm_ring_attach *attach)
{
    ring->making = 0;
    let_go(ring, &ring->new_p);
    let_go(ring, &ring->new_c);
    attach->accept.result = XEN_VM_RING_REFUSED_MEMORY;
    attach->accept.epoch = 0;
    return 0;
}

static int go_on(struct vm_ring *ring, uint64_t *handle,
                 struct xen_vm_ring_attach *attach)
{
    struct ring_ports *ports = NULL;
    int rc = alloc_pages(ring);

    if ( rc == -ERESTART )
    {
        *handle = ring->making;
        return rc;
    }
    if ( !rc )
        rc = ring_ports_open(ring, current->domain, ring->new_geo.nr_groups,
                             &ports);
    if ( rc )
        return refuse(ring, attach);
    domain_pause(ring->domain);
    begin_epoch(ring, ports);
    domain_unpause(ring->domain);
    tell(ring, attach);
    *handle = ring->handle;
    return reap(ring);
}

int ring_attach(struct domain *d, uint64_t *handle,
                struct xen_vm_ring_attach *attach)
{
    struct vm_ring *ring = d->vm_ring;
    struct xen_vm_ring_accept accept;
    int rc;

    if ( *handle )
    {
        if ( !ring || !ring->made )
            return -ENOENT;
        /* The answer is told already: what is left is to free. */
        if ( *handle == ring->handle )
            return reap(ring);
        return *handle == ring->making ? go_on(ring, handle, attach) : -ENOENT;
    }
    if ( vm_event_check_ring(d->vm_event_monitor) )
        return -EADDRINUSE;
    rc = make_ring(d);
    if ( rc )
        return rc;
    ring = d->vm_ring;
    rc = ring->making ? -EBUSY : reap(ring);
    if ( rc )
        return rc;
    attach->reserved = attach->resource = 0;
    memset(attach->ports, 0, sizeof(attach->ports));
    if ( !ring_negotiate(ring, d, &attach->propose, is_busy(ring), &accept) )
    {
        attach->accept = accept;
        return 0;
    }
    ring->making = random64();
    attach->accept = accept;
    if ( !lay_out(ring, &attach->accept) )
        return refuse(ring, attach);
    return go_on(ring, handle, attach);
}

/* ------------------------------------------------- detach and after -- */

int ring_detach(struct vm_ring *ring)
{
    struct ring_ports *ports;
    struct domain *d = ring->domain;

    if ( !ring->active )
        return reap(ring);
    domain_pause(d);
    ring_lock(ring);
    sweep(ring);
    vmr_producer_release(&ring->core);
    while ( ring->pending && ring_collect(ring, 1) )
        continue;
    ring->active = false;
    stop_timer(&ring->timer);
    ring->timer_at = STIME_MAX;
    ports = ring->ports;
    ring->ports = NULL;
    let_go(ring, &ring->c);
    ring_unlock(ring);
    domain_unpause(d);
    ring_ports_close(ports);
    return reap(ring);
}

int ring_drained(struct vm_ring *ring)
{
    ring_lock(ring); /* excludes vm_ring_acquire() */
    while ( ring->nr_prev && ring->nr_going < ARRAY_SIZE(ring->going) )
        let_go(ring, &ring->prev[--ring->nr_prev]);
    ring_unlock(ring);
    return reap(ring);
}

int ring_disarm(struct domain *d)
{
    struct vcpu *v;
    int rc;

    domain_pause(d);
    arch_monitor_cleanup_domain(d);
    rc = arch_monitor_init_domain(d);
    for_each_vcpu ( d, v )
    {
#ifdef CONFIG_X86
        v->arch.hvm.single_step = false;
        v->arch.monitor.next_interrupt_enabled = false;
        /* CR3 is intercepted no more than it has to be. */
        hvm_update_guest_cr(v, 0);
#endif
    }
    domain_unpause(d);
    return rc;
}

int ring_destroy(struct vm_ring *ring)
{
    struct domain *d = ring->domain;
    int rc = ring_detach(ring);

    if ( rc )
        return rc;
    let_go(ring, &ring->new_p);
    let_go(ring, &ring->new_c);
    ring->making = 0;
    rc = ring_drained(ring);
    if ( rc )
        return rc;
    if ( !d->is_dying )
        ring_disarm(d);
    ring_lock(ring);
    forget_pages(ring);
    let_go(ring, &ring->p);
    ring_unlock(ring);
    rc = reap(ring);
    if ( rc )
        return rc;
    /* Of a domain that dies the counts stay until nobody maps the ring. */
    if ( !d->is_dying )
    {
        reset(ring);
        ring->made = false;
    }
    return 0;
}
