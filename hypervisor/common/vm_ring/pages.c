/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages.c: the pages of P and C.
 *
 * They belong to the target, as Linux maps a resource of a domain with that
 * domain's id, but are in no physmap, and MEMF_no_refcount keeps them out of
 * what the guest may have: neither ballooning nor the maximum of its memory
 * touches them.  Xen's two references are what allocation and
 * get_page_and_type() take; whoever maps one has another, so that a page goes
 * with the last of them, also if that is after its domain's end.
 */
#include <xen/domain_page.h>
#include <xen/event.h>
#include <xen/vmap.h>

#include "ring.h"

/* Between two looks whether to go on. */
#define SLICE 32

static bool alloc_one(struct domain *d, mfn_t *mfn)
{
    struct page_info *pg = alloc_domheap_page(d, MEMF_no_refcount);

    if ( !pg )
        return false;
    if ( unlikely(!get_page_and_type(pg, d, PGT_writable_page)) )
    {
        /* Nobody can know of it yet: it is left alone, as vmtrace does. */
        ASSERT_UNREACHABLE();
        return false;
    }
    *mfn = page_to_mfn(pg);
    clear_domain_page(*mfn);
    return true;
}

int ring_pages_alloc(struct domain *d, struct ring_pages *pages)
{
    if ( !pages->mfns )
    {
        pages->mfns = xzalloc_array(mfn_t, pages->nr);
        if ( !pages->mfns )
            return -ENOMEM;
    }
    while ( pages->have < pages->nr )
    {
        if ( !alloc_one(d, &pages->mfns[pages->have]) )
            return -ENOMEM;
        if ( !(++pages->have % SLICE) && hypercall_preempt_check() )
            return -ERESTART;
    }
    return 0;
}

int ring_pages_map(struct ring_pages *pages)
{
    pages->at = vmap(pages->mfns, pages->nr);
    return pages->at ? 0 : -ENOMEM;
}

int ring_pages_free(struct ring_pages *pages, bool clear)
{
    if ( pages->at )
        vunmap(pages->at);
    pages->at = NULL;
    while ( pages->have )
    {
        mfn_t mfn = pages->mfns[--pages->have];
        struct page_info *pg = mfn_to_page(mfn);

        /*
         * Pages that go while their domain lives are not scrubbed by Xen.
         * Those of one that is dying are, and its agent may still be reading.
         */
        if ( clear )
            clear_domain_page(mfn);
        put_page_alloc_ref(pg);
        put_page_and_type(pg);
        if ( !(pages->have % SLICE) && hypercall_preempt_check() )
            return -ERESTART;
    }
    XFREE(pages->mfns);
    pages->nr = 0;
    return 0;
}

void ring_let_go(struct vm_ring *ring, struct ring_pages *pages)
{
    if ( !pages->mfns )
        return;
    ASSERT(ring->nr_going < ARRAY_SIZE(ring->going));
    ring->going[ring->nr_going++] = *pages;
    *pages = (struct ring_pages){};
}

int ring_reap(struct vm_ring *ring)
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
