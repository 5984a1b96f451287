/* SPDX-License-Identifier: MIT */
/*
 * Description: a directory that is not what its grant says is refused with
 * -EPROTO, one that Xen refuses a page of with -EINVAL; whichever it is,
 * nothing stays mapped, and the producer learns that the consumer has let go.
 */
#include <errno.h>

#include "grant_rig.h"

#define PAGES 2000 /* three directory pages, with C's */

static struct grant_rig rig;

typedef void damage(struct xen_vm_ring_directory *page);

static void magic(struct xen_vm_ring_directory *page)
{
    page->magic++;
}

static void version(struct xen_vm_ring_directory *page)
{
    page->version = 2;
}

static void second_magic(struct xen_vm_ring_directory *page)
{
    page[1].magic = 0;
}

static void out_of_order(struct xen_vm_ring_directory *page)
{
    page[1].index = 2;
}

static void epoch(struct xen_vm_ring_directory *page)
{
    page->epoch--;
}

static void no_life(struct xen_vm_ring_directory *page)
{
    page->life = 0;
}

static void fewer_p(struct xen_vm_ring_directory *page)
{
    page->p_pages--;
}

static void huge_p(struct xen_vm_ring_directory *page)
{
    page->p_pages = UINT32_MAX;
}

static void more_c(struct xen_vm_ring_directory *page)
{
    page->c_pages++;
}

static void unasked_prev(struct xen_vm_ring_directory *page)
{
    page->prev_pages[1] = 1;
}

static void no_prev(struct xen_vm_ring_directory *page)
{
    page->prev_pages[0] = 0;
}

static void few_refs(struct xen_vm_ring_directory *page)
{
    page->nr_refs--;
}

static void many_refs(struct xen_vm_ring_directory *page)
{
    page[2].nr_refs = UINT32_MAX;
}

static void loop(struct xen_vm_ring_directory *page)
{
    page[1].next = rig.gref;
}

static void endless(struct xen_vm_ring_directory *page)
{
    page[2].next = rig.gref;
}

static void cut(struct xen_vm_ring_directory *page)
{
    page[1].next = 0;
}

static void leads_nowhere(struct xen_vm_ring_directory *page)
{
    page[1].next = 60000;
}

static void no_such_page(struct xen_vm_ring_directory *page)
{
    page[1].refs[5] = 60000;
}

/* P's pages where C's should be: Xen does not let them be written. */
static void read_only_c(struct xen_vm_ring_directory *page)
{
    page[2].refs[PAGES - 2 * XEN_VM_RING_DIRECTORY_REFS] = page[0].refs[0];
}

static void not_the_life(struct xen_vm_ring_directory *page)
{
    page->life = page->refs[0];
}

static const struct {
    damage *damage;
    int err;
} cases[] = {
    {magic, -EPROTO},        {version, -EPROTO},       {second_magic, -EPROTO},
    {out_of_order, -EPROTO}, {epoch, -EPROTO},         {no_life, -EPROTO},
    {fewer_p, -EPROTO},      {huge_p, -EPROTO},        {more_c, -EPROTO},
    {unasked_prev, -EPROTO}, {no_prev, -EPROTO},       {few_refs, -EPROTO},
    {many_refs, -EPROTO},    {loop, -EPROTO},          {endless, -EPROTO},
    {cut, -EPROTO},          {leads_nowhere, -EINVAL}, {no_such_page, -EINVAL},
    {read_only_c, -EINVAL},  {not_the_life, -EINVAL},
};

static void refused(size_t i)
{
    rig_offer(&rig, PAGES, 2, 1);
    cases[i].damage(fake_xen_page(rig.gref));
    if (rig_attach(&rig) != cases[i].err) {
        fprintf(stderr, "case %zu: %s\n", i, rig.error);
        exit(1);
    }
    CHECK(rig.error[0] != '\0');
    CHECK(i > 0 || !grant_map_producer_lives(rig.map));
    CHECK(!rig.regions.p.at && !rig.regions.c.at && !rig.regions.nr_before);
    rig_detach(&rig);
    CHECK_EQ(fake_xen.mapped, 0);
    CHECK(grant_handout_life(rig.handout) != XEN_VM_RING_LIFE_MAPPED);
    rig_end(&rig);
}

/* Lengths that the grant has and no directory can have. */
static void lengths(void)
{
    static const uint64_t wrong[] = {0,
                                     1,
                                     RIG_PAGE - 1,
                                     RIG_PAGE + 8,
                                     UINT64_MAX,
                                     UINT64_MAX - RIG_PAGE + 1,
                                     1ULL << 60};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        rig_offer(&rig, 4, 2, 0);
        rig.accept.c_len = wrong[i];
        CHECK_EQ(rig_attach(&rig), -EPROTO);
        rig_end(&rig);
    }
}

/* More than there may be, and directory and grant agree on it. */
static void too_many(void)
{
    struct xen_vm_ring_directory *page;

    rig_offer(&rig, 4, 2, 0);
    page = fake_xen_page(rig.gref);
    page->p_pages = XEN_VM_RING_DIRECTORY_MAX;
    rig.accept.p_len = (uint64_t)page->p_pages * RIG_PAGE;
    CHECK_EQ(rig_attach(&rig), -EPROTO);
    rig_end(&rig);
}

/* Each mapping of an attach fails in its turn. */
static void no_memory(void)
{
    unsigned int failed = 0;

    for (;; failed++) {
        int err;

        rig_offer(&rig, PAGES, 2, 2);
        fake_xen.mappings = 0;
        fake_xen.map_errno = ENOMEM;
        fake_xen.map_fails_from = failed;
        err = rig_attach(&rig);
        fake_xen.map_errno = 0;
        rig_end(&rig);
        if (!err)
            break;
        CHECK_EQ(err, -ENOMEM);
    }
    /* Three of the directory, the life page, P, C, two frozen Ps. */
    CHECK_EQ(failed, 8);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        refused(i);
    lengths();
    too_many();
    no_memory();
    return 0;
}
