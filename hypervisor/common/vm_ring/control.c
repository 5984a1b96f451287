/* SPDX-License-Identifier: GPL-2.0-only */
/* control.c: the domctl, and what it takes to map what it gives. */
#include <xen/guest_access.h>
#include <xen/hypercall.h>
#include <xen/sched.h>

#include <public/domctl.h>

#include "ring.h"

/* Of xen_vm_ring_control's `turn`: what the call is at. */
enum { FIRST, LIFTS, FREES };

/* All of it that does not fit on the stack, one call at a time. */
static union {
    struct xen_vm_ring_attach attach;
    struct xen_vm_ring_query query;
    struct xen_vm_ring_count count;
} arg; /* the domctl lock's */

static const struct {
    uint32_t arg_len;
    bool needs_handle;
    bool looks; /* and no more: also while its target is being destroyed */
} ops[] = {
    [XEN_VM_RING_OP_PRESENT] = { 0, false, true },
    [XEN_VM_RING_OP_ATTACH] = { sizeof(arg.attach), false, false },
    [XEN_VM_RING_OP_DETACH] = { 0, true, false },
    [XEN_VM_RING_OP_QUERY] = { sizeof(arg.query), false, true },
    [XEN_VM_RING_OP_COUNT] = { sizeof(arg.count), true, true },
    [XEN_VM_RING_OP_DRAINED] = { 0, true, false },
    [XEN_VM_RING_OP_DISARM] = { 0, true, false },
    [XEN_VM_RING_OP_DESTROY] = { 0, false, false },
};

static int check_form(struct xen_vm_ring_control *op)
{
    unsigned int i;

    if ( op->version != XEN_VM_RING_CONTROL_VERSION )
    {
        op->version = XEN_VM_RING_CONTROL_VERSION;
        return -EOPNOTSUPP;
    }
    if ( op->op >= ARRAY_SIZE(ops) )
        return -ENOSYS;
    for ( i = 0; i < ARRAY_SIZE(op->reserved); i++ )
        if ( op->reserved[i] )
            return -EINVAL;
    if ( op->turn > (ops[op->op].looks ? FIRST : FREES) )
        return -EINVAL;
    return op->arg_len == ops[op->op].arg_len && !op->arg_len == !op->arg
           ? 0 : -EINVAL;
}

static int check_ring(const struct domain *d,
                      const struct xen_vm_ring_control *op)
{
    const struct vm_ring *ring = d->vm_ring;

    if ( ring && ring_is_made(ring) )
    {
        if ( !op->ring && !ops[op->op].needs_handle )
            return 0;
        return op->ring && op->ring == ring->handle ? 0 : -ENOENT;
    }
    return op->op == XEN_VM_RING_OP_QUERY && !op->ring && vm_ring_exists(d)
           ? -EAGAIN : -ENOENT;
}

static int check_target(const struct domain *d,
                        const struct xen_vm_ring_control *op)
{
    if ( d == current->domain )
        return -EPERM;
    /* Whoever still maps it learns how it ended. */
    if ( d->is_dying && !(d->vm_ring && ops[op->op].looks) )
        return -ESRCH;
    if ( !is_hvm_domain(d) || !d->max_vcpus || !d->vcpu[0] ||
         !d->vcpu[d->max_vcpus - 1] )
        return -ENODEV;
    return op->op == XEN_VM_RING_OP_ATTACH ? 0 : check_ring(d, op);
}

static void add_tallies(const struct vm_ring *ring,
                        struct xen_vm_ring_query *query)
{
    unsigned int v, r;

    for ( v = 0; v < ring->nr_vcpus; v++ )
    {
        const struct ring_vcpu *rv = ring->vcpus[v];
        const struct vmr_slot_tx *slot = &ring->core.slots[v];

        query->by_deadline += rv->by_deadline;
        query->by_detach += rv->by_detach;
        query->by_overflow += rv->by_overflow;
        query->doorbells_sent += rv->doorbells;
        query->not_injected += rv->not_injected;
        query->ignored += slot->ignored;
        for ( r = 0; r < XEN_VM_RING_NR_REASONS; r++ )
        {
            const struct ring_tally *tally = &rv->tally[r];

            query->requests += tally->requests;
            query->answered += tally->answered;
            query->records += tally->records;
            query->discarded += tally->discarded;
        }
    }
}

static unsigned int pages_of(const struct vm_ring *ring)
{
    unsigned int i, nr = ring->p.have + ring->c.have + ring->new_p.have +
                         ring->new_c.have;

    for ( i = 0; i < ring->nr_prev; i++ )
        nr += ring->prev[i].have;
    for ( i = 0; i < ring->nr_going; i++ )
        nr += ring->going[i].have;
    return nr;
}

static void query(struct vm_ring *ring, struct xen_vm_ring_query *query)
{
    unsigned int group;

    ring_settle(ring);
    memset(query, 0, sizeof(*query));
    query->pending = ring_pending(ring);
    add_tallies(ring, query);
    for ( group = 0; group < XEN_VM_RING_MAX_GROUPS; group++ )
        query->doorbells_heard += ring->groups[group].heard;
    ring_lock(ring);
    query->abandoned = ring->abandoned;
    query->lane_faults = ring->core.lane_faults;
    query->doorbells_sent += ring->doorbells;
    ring_unlock(ring);
    query->epoch = ring->epoch;
    query->attached = ring->active;
    query->pages = pages_of(ring);
}

static bool row_of(const struct vm_ring *ring, uint32_t at,
                   struct xen_vm_ring_row *row)
{
    uint32_t v = at / XEN_VM_RING_NR_REASONS, r = at % XEN_VM_RING_NR_REASONS;
    const struct ring_tally *now = &ring->vcpus[v]->tally[r];
    const struct ring_tally *base = &ring->vcpus[v]->base[r];

    *row = (struct xen_vm_ring_row){
        .vcpu = v,
        .reason = r,
        .requests = now->requests - base->requests,
        .answered = now->answered - base->answered,
        .defaulted = now->defaulted - base->defaulted,
        .records = now->records - base->records,
        .discarded = now->discarded - base->discarded,
    };
    return row->requests | row->records;
}

static int count(struct vm_ring *ring, struct xen_vm_ring_count *count)
{
    uint32_t all = ring->nr_vcpus * XEN_VM_RING_NR_REASONS, at = count->from;

    if ( count->reserved || at > all )
        return -EINVAL;
    ring_settle(ring);
    count->nr = 0;
    for ( ; at < all && count->nr < XEN_VM_RING_COUNT_ROWS; at++ )
        if ( row_of(ring, at, &count->rows[count->nr]) )
            count->nr++;
    count->next = at < all ? at : XEN_VM_RING_COUNT_END;
    return 0;
}

/*
 * What access is restricted to is lifted before all else, as that takes turns:
 * they are of the epoch that the first one found.  What p2m does not lift keeps
 * nothing from ending: Xen lifts it at the next access, as nobody listens then,
 * but for a domain of which access_required was asked for.
 */
static int end(struct domain *d, struct xen_vm_ring_control *op)
{
    struct vm_ring *ring = d->vm_ring;
    int rc;

    if ( op->op == XEN_VM_RING_OP_DESTROY && !op->ring )
        ring_give_up(ring);
    if ( op->turn != LIFTS )
        ring_lift_begin(ring);
    rc = ring_lift(ring);
    if ( rc == -ERESTART )
    {
        op->ring = ring->handle;
        op->turn = LIFTS;
        return rc;
    }
    if ( op->op == XEN_VM_RING_OP_DISARM )
    {
        ring_disarm(d);
        return rc;
    }
    if ( op->op == XEN_VM_RING_OP_DETACH )
        ring_detach(ring);
    else
        ring_destroy(ring);
    return 0;
}

static int carry_out(struct domain *d, struct xen_vm_ring_control *op)
{
    struct vm_ring *ring = d->vm_ring;

    switch ( op->op )
    {
    case XEN_VM_RING_OP_ATTACH:
        return ring_attach(d, &op->ring, &arg.attach);
    case XEN_VM_RING_OP_QUERY:
        query(ring, &arg.query);
        return 0;
    case XEN_VM_RING_OP_COUNT:
        return count(ring, &arg.count);
    case XEN_VM_RING_OP_DRAINED:
        ring_drained(ring);
        return 0;
    case XEN_VM_RING_OP_DETACH:
    case XEN_VM_RING_OP_DISARM:
    case XEN_VM_RING_OP_DESTROY:
        return end(d, op);
    }
    ASSERT_UNREACHABLE();
    return -ENOSYS;
}

static int take_effect(struct domain *d, struct xen_vm_ring_control *op)
{
    XEN_GUEST_HANDLE_PARAM(void) at =
        guest_handle_from_ptr((unsigned long)op->arg, void);
    int rc = check_target(d, op);

    if ( rc )
        return rc;
    if ( op->arg_len && copy_from_guest((uint8_t *)&arg, at, op->arg_len) )
        return -EFAULT;
    rc = carry_out(d, op);
    if ( (!rc || rc == -ERESTART) && op->arg_len &&
         copy_to_guest(at, (uint8_t *)&arg, op->arg_len) )
        return -EFAULT;
    return rc;
}

/*
 * What a call does is done in one turn.  Before it an ATTACH may take some, to
 * make pages, and what ends to lift, of which their handle tells; those after it
 * free what nobody uses any more, and ask for nothing that others may have
 * changed in between.
 */
static int control(struct domain *d, struct xen_vm_ring_control *op)
{
    int rc = check_form(op);

    if ( rc || op->op == XEN_VM_RING_OP_PRESENT )
        return rc;
    if ( op->turn != FREES )
        rc = take_effect(d, op);
    if ( rc == -ERESTART || ops[op->op].looks )
        return rc;
    op->turn = FIRST;
    if ( rc )
        return rc;
    rc = d->vm_ring ? ring_reap(d->vm_ring) : 0;
    if ( rc == -ERESTART )
        op->turn = FREES;
    return rc;
}

long vm_ring_domctl(struct domain *d, struct xen_domctl *domctl,
                    XEN_GUEST_HANDLE_PARAM(xen_domctl_t) u_domctl)
{
    struct xen_vm_ring_control *op = (void *)domctl->u.pad;
    int rc;

    BUILD_BUG_ON(sizeof(*op) > sizeof(domctl->u.pad));
    rc = control(d, op);
    if ( __copy_to_guest(u_domctl, domctl, 1) )
        return -EFAULT;
    return rc == -ERESTART
           ? hypercall_create_continuation(__HYPERVISOR_domctl, "h", u_domctl)
           : rc;
}

/* -------------------------------------------------------- resources -- */

/* NULL: there is none, or it is not for the caller.  Under the lock. */
static const struct ring_pages *find(const struct vm_ring *ring,
                                     unsigned int id)
{
    unsigned int at = id - ring->resource;

    if ( !ring->active || !ring_ports_are_of(ring->ports, current->domain) )
        return NULL;
    if ( at == 0 )
        return &ring->p;
    if ( at == 1 )
        return &ring->c;
    return at - 2 < ring->nr_prev ? &ring->prev[at - 2] : NULL;
}

unsigned int vm_ring_resource_frames(const struct domain *d, unsigned int id)
{
    struct vm_ring *ring = d->vm_ring;
    const struct ring_pages *pages;
    unsigned int nr = 0;

    if ( !ring )
        return 0;
    ring_lock(ring);
    pages = find(ring, id);
    if ( pages )
        nr = pages->have;
    ring_unlock(ring);
    return nr;
}

void vm_ring_acquired(const xen_pfn_t mfn_list[], unsigned int nr)
{
    while ( nr )
        put_page(mfn_to_page(_mfn(mfn_list[--nr])));
}

/* They may be freed before they are mapped: until then these are ours. */
static int hold(struct domain *d, const struct ring_pages *pages,
                unsigned int frame, unsigned int nr, xen_pfn_t mfn_list[])
{
    unsigned int i;

    for ( i = 0; i < nr; i++ )
    {
        mfn_t mfn = pages->mfns[frame + i];

        if ( !get_page(mfn_to_page(mfn), d) )
        {
            vm_ring_acquired(mfn_list, i);
            return -EINVAL;
        }
        mfn_list[i] = mfn_x(mfn);
    }
    return nr;
}

int vm_ring_acquire(struct domain *d, unsigned int id, unsigned int frame,
                    unsigned int nr_frames, xen_pfn_t mfn_list[])
{
    struct vm_ring *ring = d->vm_ring;
    const struct ring_pages *pages;
    int rc = -EINVAL;

    if ( !ring )
        return -ENOENT;
    ring_lock(ring);
    pages = find(ring, id);
    if ( pages && frame < pages->have && nr_frames <= pages->have - frame )
        rc = hold(d, pages, frame, nr_frames, mfn_list);
    ring_unlock(ring);
    return rc;
}
