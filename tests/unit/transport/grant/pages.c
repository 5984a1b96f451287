/* SPDX-License-Identifier: MIT */
/*
 * Description: granted pages: 64 MiB in a chain of directory pages; each page
 * is where it was shared, with the access it was granted with, in both
 * directions; nothing is left afterwards.
 */
#include "grant_rig.h"

#define P_PAGES (64U << 20 >> 12)

static uint32_t *word(void *at, size_t page)
{
    return (uint32_t *)((char *)at + page * RIG_PAGE);
}

static const uint32_t *word_there(const void *at, size_t page)
{
    return (const uint32_t *)((const char *)at + page * RIG_PAGE);
}

static void all_zero(const struct region *region)
{
    const uint64_t *words = region->at;

    for (size_t i = 0; i < region->len / sizeof(*words); i++)
        CHECK(words[i] == 0);
}

static void numbered(struct region *from, const struct region *to,
                     uint32_t first)
{
    CHECK_EQ(from->len, to->len);
    for (size_t i = 0; i < from->len / RIG_PAGE; i++)
        *word(from->at, i) = first + (uint32_t)i;
    for (size_t i = 0; i < to->len / RIG_PAGE; i++)
        CHECK_EQ(*word_there(to->at, i), first + i);
}

int main(void)
{
    struct grant_rig rig;

    rig_offer(&rig, P_PAGES, 3, 2);
    all_zero(&rig.p);
    all_zero(&rig.c);
    CHECK_EQ(rig_attach(&rig), 0);
    CHECK_EQ(rig.regions.nr_before, 2);
    numbered(&rig.p, &rig.regions.p, 1);
    numbered(&rig.c, &rig.regions.c, 1000000);
    numbered(&rig.regions.c, &rig.c, 2000000);
    numbered(&rig.before[0], &rig.regions.before[0], 3000000);
    numbered(&rig.before[1], &rig.regions.before[1], 4000000);
    CHECK_EQ(grant_handout_life(rig.handout), XEN_VM_RING_LIFE_MAPPED);
    CHECK(grant_map_producer_lives(rig.map));
    /* P, C, frozen Ps, 17 directory pages, the life page. */
    CHECK_EQ(grant_share_pages(rig.share), P_PAGES + 3 + 1 + 2 + 17 + 1);
    CHECK_EQ(fake_xen.shared, grant_share_pages(rig.share));
    /* The directory is copied, not kept. */
    CHECK_EQ(fake_xen.mapped, P_PAGES + 3 + 1 + 2 + 1);
    CHECK(!fake_xen_writable(rig.gref));
    rig_end(&rig);

    /* As many frozen Ps as there may be. */
    rig_offer(&rig, 1, 1, XEN_VM_RING_MAX_PREV);
    CHECK_EQ(rig_attach(&rig), 0);
    CHECK_EQ(rig.regions.nr_before, XEN_VM_RING_MAX_PREV);
    for (uint32_t i = 0; i < XEN_VM_RING_MAX_PREV; i++)
        numbered(&rig.before[i], &rig.regions.before[i], 100 * i);
    rig_end(&rig);
    CHECK_EQ(fake_xen.deferred_ever, 0);
    return 0;
}
