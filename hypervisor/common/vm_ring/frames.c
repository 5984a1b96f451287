/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * frames.c: what a guest may not do to frames of its memory is lifted with the
 * rest of what is armed, whoever asked for it and whatever became of them.
 */
#include <xen/event.h>
#include <xen/mem_access.h>
#include <xen/sched.h>

#include <asm/p2m.h>

#include "ring.h"

/* Between two looks whether to go on later, as in a mem_access operation. */
#define FRAMES_A_LOOK 64

static void note(struct vm_ring *ring, uint64_t first, uint64_t nr)
{
    ring_lock(ring);
    if ( !ring->restricted_end )
        ring->restricted = first;
    ring->restricted = min(ring->restricted, first);
    ring->restricted_end = max(ring->restricted_end, first + nr);
    ring_unlock(ring);
}

/* Before they are: a lift that comes amid it finds them. */
void vm_ring_restrict(struct domain *d, uint64_t first, uint64_t nr)
{
    if ( vm_ring_active(d) && nr )
        note(d->vm_ring, first, nr);
}

/* From now on it is to be lifted, by whoever comes to it. */
void ring_lift_begin(struct vm_ring *ring)
{
    ring_lock(ring);
    if ( ring->lifting >= ring->lifting_end )
    {
        ring->lifting = ring->restricted;
        ring->lifting_end = ring->restricted_end;
        ring->lifting_rc = 0;
    }
    else if ( ring->restricted_end )
    {
        ring->lifting = min(ring->lifting, ring->restricted);
        ring->lifting_end = max(ring->lifting_end, ring->restricted_end);
    }
    ring->restricted = ring->restricted_end = 0;
    ring_unlock(ring);
}

/* `order` becomes that of the entry that says so, of its neighbours too. */
static bool is_restricted(struct domain *d, uint64_t gfn, unsigned int *order)
{
    struct p2m_domain *p2m = p2m_get_hostp2m(d);
    p2m_access_t access = p2m_access_rwx;
    p2m_type_t type;
    mfn_t mfn;

#ifdef CONFIG_X86
    mfn = get_gfn_type_access(p2m, gfn, &type, &access, 0, order);
    put_gfn(d, gfn);
#else
    p2m_read_lock(p2m);
    mfn = p2m_get_entry(p2m, _gfn(gfn), &type, &access, order, NULL);
    p2m_read_unlock(p2m);
#endif
    return !mfn_eq(mfn, INVALID_MFN) && access != p2m_access_rwx;
}

static int lift(struct domain *d, uint64_t at, unsigned int nr)
{
    return p2m_set_mem_access(d, _gfn(at), nr, 0, ~0u, XENMEM_access_rwx, 0);
}

/* All of them; one that stays is tried again by the next lift. */
static void lift_each(struct vm_ring *ring, uint64_t at, unsigned int nr)
{
    for ( ; nr; nr--, at++ )
    {
        int rc = lift(ring->domain, at, 1);

        if ( !rc )
            continue;
        ring->lifting_rc = ring->lifting_rc ?: rc;
        note(ring, at, 1);
    }
}

/*
 * Frames that are restricted, in one go, as each call flushes TLBs; or an entry
 * that is not, which stays as it is: it may be a large one, or a hole, which a
 * guest can make as large as it likes.  Returns how many frames that were.
 */
static uint64_t lift_next(struct vm_ring *ring)
{
    uint64_t at = ring->lifting, end = ring->lifting_end;
    unsigned int nr = 0, order = 0;

    while ( nr < FRAMES_A_LOOK && at + nr < end &&
            is_restricted(ring->domain, at + nr, &order) )
        nr++;
    if ( !nr )
        return min(end, ((at >> order) + 1) << order) - at;
    if ( lift(ring->domain, at, nr) )
        lift_each(ring, at, nr);
    return nr;
}

int ring_lift(struct vm_ring *ring)
{
    unsigned int done = 0;

    /* Under the domctl lock, as all that writes it. */
    while ( ring->lifting < ring->lifting_end )
    {
        uint64_t nr = lift_next(ring);

        ring->lifting += nr;
        done += min_t(uint64_t, nr, FRAMES_A_LOOK);
        if ( done < FRAMES_A_LOOK || ring->lifting >= ring->lifting_end )
            continue;
        done = 0;
        if ( hypercall_preempt_check() )
            return -ERESTART;
    }
    return ring->lifting_rc;
}
