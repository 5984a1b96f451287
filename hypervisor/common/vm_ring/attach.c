/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * attach.c: what comes before an epoch, under the domctl lock: an attach may
 * take several turns, and what it has made is seen by nobody until the last.
 */
#include <xen/random.h>
#include <xen/vm_event.h>

#include "ring.h"

/* Within so long after it has attached a consumer binds its ports. */
#define TIME_TO_BIND SECONDS(1)

/* An attach that is not gone on with for so long was begun by who is no more. */
#define TIME_TO_GO_ON SECONDS(1)

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

/* Xen counts such pages until the last of those who map them has let go. */
static bool is_too_much(const struct vm_ring *ring)
{
    return ring->domain->extra_pages + ring->new_p.nr + ring->new_c.nr >
           ring->other_pages + RING_MAX_PAGES;
}

/*
 * Frozen Ps give way to a ring that there is no room for otherwise.  -ERESTART:
 * preempted; -ENOMEM: there is none all the same.
 */
static int make_room(struct vm_ring *ring)
{
    int rc = ring_reap(ring);

    while ( !rc && is_too_much(ring) )
    {
        if ( !ring->nr_prev )
            return -ENOMEM;
        ring_lock(ring); /* excludes vm_ring_acquire() */
        ring_forget_oldest(ring);
        ring_unlock(ring);
        rc = ring_reap(ring);
    }
    return rc;
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

static int make_pages(struct vm_ring *ring)
{
    int rc = ring->new_p.have ? 0 : make_room(ring);

    if ( !rc )
        rc = ring_pages_make(ring->domain, &ring->new_p);
    if ( !rc )
        rc = ring_pages_make(ring->domain, &ring->new_c);
    return rc;
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

/* Of an attach that has failed: what is left of it is freed. */
static int end_failed(struct vm_ring *ring, uint64_t *handle)
{
    int rc = ring_reap(ring);

    *handle = rc ? ring->making : 0;
    if ( rc )
        return rc;
    /* That there is no memory is an answer, and no error. */
    rc = ring->failed == -ENOMEM ? 0 : ring->failed;
    ring->making = 0;
    ring->failed = 0;
    return rc;
}

static int fail(struct vm_ring *ring, uint64_t *handle,
                struct xen_vm_ring_attach *attach, int rc)
{
    ring->failed = rc;
    ring_let_go(ring, &ring->new_p);
    ring_let_go(ring, &ring->new_c);
    ring_refuse(&attach->accept, XEN_VM_RING_REFUSED_MEMORY);
    return end_failed(ring, handle);
}

static int go_on(struct vm_ring *ring, uint64_t *handle,
                 struct xen_vm_ring_attach *attach)
{
    struct ring_ports *ports = NULL;
    int rc;

    ring->made_at = NOW();
    if ( ring->failed )
        return end_failed(ring, handle);
    rc = make_pages(ring);
    if ( rc == -ERESTART )
    {
        *handle = ring->making;
        return rc;
    }
    if ( !rc )
        rc = ring_ports_open(ring, current->domain, ring->new_geo.nr_groups,
                             &ports);
    if ( rc )
        return fail(ring, handle, attach, rc);
    domain_pause(ring->domain);
    ring_begin_epoch(ring, ports);
    domain_unpause(ring->domain);
    tell(ring, attach);
    *handle = ring->handle;
    return 0;
}

void ring_give_up(struct vm_ring *ring)
{
    ring_let_go(ring, &ring->new_p);
    ring_let_go(ring, &ring->new_c);
    ring->making = 0;
    ring->failed = 0;
}

/* There is no other attach, and no page is left to be freed. */
static int clear_the_way(struct vm_ring *ring)
{
    if ( ring->making && NOW() < ring->made_at + TIME_TO_GO_ON )
        return -EBUSY;
    ring_give_up(ring);
    return ring_reap(ring);
}

int ring_attach(struct domain *d, uint64_t *handle,
                struct xen_vm_ring_attach *attach)
{
    struct vm_ring *ring = d->vm_ring;
    struct xen_vm_ring_accept accept;
    int rc;

    if ( *handle )
        return ring && *handle == ring->making ? go_on(ring, handle, attach)
                                               : -ENOENT;
    if ( vm_event_check_ring(d->vm_event_monitor) )
        return -EADDRINUSE;
    rc = ring ? clear_the_way(ring) : 0;
    if ( !rc )
        rc = ring_make(d);
    if ( rc )
        return rc;
    ring = d->vm_ring;
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
        return fail(ring, handle, attach, -ENOMEM);
    return go_on(ring, handle, attach);
}
