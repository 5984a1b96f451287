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
#include <xen/pfn.h>
#include <xen/vmap.h>

#include "ring.h"

/* Pages between two looks whether to go on. */
#define SLICE 32
/* At most so much is unmapped in one go: what one page table maps. */
#define UNMAP_LEN MB(2)

static unsigned long address(const struct ring_pages *pages, unsigned int at)
{
    return (unsigned long)pages->at + ((unsigned long)at << PAGE_SHIFT);
}

/* Of 64 MiB too many to ask for in one piece. */
static int reserve(struct ring_pages *pages)
{
    pages->mfns = vzalloc(pages->nr * sizeof(*pages->mfns));
    if ( !pages->mfns )
        return -ENOMEM;
    pages->at = vmap_reserve(pages->nr);
    return pages->at ? 0 : -ENOMEM;
}

static int add_one(struct domain *d, struct ring_pages *pages)
{
    struct page_info *pg = alloc_domheap_page(d, MEMF_no_refcount);
    mfn_t mfn;

    if ( !pg )
        return -ENOMEM;
    if ( unlikely(!get_page_and_type(pg, d, PGT_writable_page)) )
    {
        /* Nobody can know of it yet: it is left alone, as vmtrace does. */
        ASSERT_UNREACHABLE();
        return -ENOMEM;
    }
    mfn = page_to_mfn(pg);
    clear_domain_page(mfn);
    pages->mfns[pages->have++] = mfn;
    if ( map_pages_to_xen(address(pages, pages->mapped), mfn, 1,
                          PAGE_HYPERVISOR) )
        return -ENOMEM;
    pages->mapped++;
    return 0;
}

int ring_pages_make(struct domain *d, struct ring_pages *pages)
{
    int rc = pages->mfns ? 0 : reserve(pages);

    while ( !rc && pages->mapped < pages->nr )
    {
        rc = add_one(d, pages);
        if ( !rc && !(pages->mapped % SLICE) && hypercall_preempt_check() )
            rc = -ERESTART;
    }
    return rc;
}

/*
 * The last of what is mapped.  Not by vunmap(), which is not preempted, and on
 * x86 flushes the TLBs of all CPUs for each page: here they are flushed at the
 * end, and before a page table is freed, three times at most.  As it is cut
 * where page tables end, no superpage has to be split, which could fail for
 * want of memory: x86 makes one when all pages of a table follow each other.
 */
static void unmap_some(struct ring_pages *pages)
{
    unsigned long end = address(pages, pages->mapped);
    unsigned long from = max_t(unsigned long, address(pages, 0),
                               (end - 1) & ~(UNMAP_LEN - 1));

    if ( destroy_xen_mappings(from, end) )
        ASSERT_UNREACHABLE();
    pages->mapped = PFN_DOWN(from - address(pages, 0));
}

static void free_last(struct ring_pages *pages, bool clear)
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
}

int ring_pages_free(struct ring_pages *pages, bool clear)
{
    while ( pages->have )
    {
        if ( pages->have == pages->mapped )
            unmap_some(pages);
        free_last(pages, clear);
        if ( !(pages->have % SLICE) && hypercall_preempt_check() )
            return -ERESTART;
    }
    if ( pages->at )
        vmap_release(pages->at);
    vfree(pages->mfns);
    *pages = (struct ring_pages){};
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
