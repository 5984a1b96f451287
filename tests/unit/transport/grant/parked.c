/* SPDX-License-Identifier: MIT */
/*
 * Description: pages whose consumer still maps them are parked: not freed
 * before it lets go, and then all of them; one that never came, or whose
 * domain is no more, holds up nothing.  Whatever it says, nothing leaks.
 */
#include <errno.h>
#include <sys/mman.h>
#include <xengnttab.h>

#include "grant_rig.h"
#include "transport/grant/limits.h"

#define PAGES 8

/* Let go of a little later: the kernel clears the word before it unmaps. */
static void lets_go(void)
{
    struct grant_rig rig;
    size_t all;

    rig_offer(&rig, PAGES, 2, 1);
    CHECK_EQ(rig_attach(&rig), 0);
    all = grant_share_pages(rig.share);
    CHECK_EQ(grant_share_collect(rig.share, 1ULL << 40), 0);
    CHECK_EQ(grant_share_pages(rig.share), all);
    rig_withdraw(&rig);
    CHECK(!grant_map_producer_lives(rig.map));
    CHECK_EQ(grant_share_parked(rig.share), all);
    CHECK_EQ(grant_share_collect(rig.share, 1000), all);
    CHECK_EQ(grant_share_collect(rig.share, 1ULL << 40), all);
    CHECK_EQ(fake_xen.deferred_ever, 0);
    rig_detach(&rig);
    CHECK_EQ(grant_share_collect(rig.share, 1ULL << 41), all);
    CHECK_EQ(grant_share_collect(rig.share, (1ULL << 41) + GRANT_GRACE_NS - 1),
             all);
    CHECK_EQ(grant_share_collect(rig.share, (1ULL << 41) + GRANT_GRACE_NS), 0);
    CHECK_EQ(grant_share_pages(rig.share), 0);
    rig_end(&rig);
    CHECK_EQ(fake_xen.deferred_ever, 0);
}

/* A frozen P is held by each consumer that it was handed to. */
static void handed_twice(void)
{
    struct grant_rig rig;
    struct grant_handout *second;
    struct grant_offer offer;
    uint32_t gref;
    size_t left;

    rig_offer(&rig, PAGES, 2, 0);
    CHECK_EQ(rig_attach(&rig), 0);
    grant_handout_end(rig.handout);
    offer = (struct grant_offer){
        .p = &rig.p, .c = &rig.c, .epoch = 4, .port = evtchn_port(rig.ours, 0)};
    CHECK_EQ(grant_handout_make(rig.share, &offer, &second, &gref, rig.error,
                                sizeof(rig.error)),
             0);
    rig.handout = NULL;
    /* The second never comes, the first still maps it. */
    rig_withdraw(&rig);
    grant_handout_end(second);
    left = grant_share_parked(rig.share);
    CHECK_EQ(left, PAGES + 2 + 1 + 1);
    rig_detach(&rig);
    (void)grant_share_collect(rig.share, 0);
    CHECK_EQ(grant_share_collect(rig.share, GRANT_GRACE_NS), 0);
    CHECK_EQ(fake_xen.deferred_ever, 0);
    rig_end(&rig);
}

static void never_came(void)
{
    struct grant_rig rig;
    struct grant_handout *second;
    struct grant_offer offer;
    uint32_t gref;

    rig_offer(&rig, PAGES, 2, 0);
    CHECK_EQ(grant_handout_life(rig.handout), XEN_VM_RING_LIFE_OFFERED);
    offer = (struct grant_offer){.p = &rig.p, .c = &rig.c, .nr_before = 9};
    CHECK_EQ(grant_handout_make(rig.share, &offer, &second, &gref, rig.error,
                                sizeof(rig.error)),
             -EINVAL);
    offer.nr_before = 0;
    offer.port = evtchn_port(rig.ours, 0);
    CHECK_EQ(grant_handout_make(rig.share, &offer, &second, &gref, rig.error,
                                sizeof(rig.error)),
             0);
    grant_handout_end(rig.handout);
    rig.handout = second;
    rig_withdraw(&rig);
    CHECK_EQ(grant_share_pages(rig.share), 0);
    rig_end(&rig);
    CHECK_EQ(fake_xen.deferred_ever, 0);
}

/* Nobody has cleared the word, and nobody will. */
static void domain_destroyed(void)
{
    struct grant_rig rig;

    rig_offer(&rig, PAGES, 2, 0);
    CHECK_EQ(rig_attach(&rig), 0);
    rig_withdraw(&rig);
    CHECK(grant_share_parked(rig.share) > 0);
    grant_share_peer_gone(rig.share);
    CHECK_EQ(grant_share_pages(rig.share), 0);
    rig_detach(&rig);
    rig_end(&rig);
}

/* The word that a consumer's own hands can write. */
static struct xen_vm_ring_life *life_of(struct grant_rig *rig,
                                        xengnttab_handle *gnttab)
{
    struct xen_vm_ring_directory *directory =
        xengnttab_map_grant_ref(gnttab, RIG_BACKEND, rig->gref, PROT_READ);
    struct xen_vm_ring_life *life;

    CHECK(directory != NULL);
    life = xengnttab_map_grant_ref(gnttab, RIG_BACKEND, directory->life,
                                   PROT_READ | PROT_WRITE);
    CHECK(life != NULL);
    return life;
}

/* Pages are made, which leaves so many owed. */
static void share_again(struct grant_rig *rig, size_t pages, size_t owed)
{
    CHECK_EQ(grant_share_make(rig->share, &rig->before[rig->nr_before++],
                              pages * RIG_PAGE, true, rig->error,
                              sizeof(rig->error)),
             0);
    CHECK_EQ(grant_share_unshared(rig->share, SIZE_MAX), owed);
}

/* It says that it has let go, and has not: that is the kernel's to wait for. */
static void lies(void)
{
    struct grant_rig rig;
    xengnttab_handle *gnttab = xengnttab_open(&grant_logger, 0);
    struct xen_vm_ring_life *life;
    size_t all;

    rig_offer(&rig, PAGES, 2, 0);
    CHECK_EQ(rig_attach(&rig), 0);
    all = grant_share_pages(rig.share);
    life = life_of(&rig, gnttab);
    life->consumer = 12345;
    CHECK_EQ(grant_handout_life(rig.handout), XEN_VM_RING_LIFE_MAPPED);
    life->consumer = XEN_VM_RING_LIFE_GONE;
    rig_withdraw(&rig);
    CHECK_EQ(grant_share_collect(rig.share, 0), all);
    life->consumer = XEN_VM_RING_LIFE_MAPPED;
    CHECK_EQ(grant_share_collect(rig.share, GRANT_GRACE_NS), all);
    life->consumer = XEN_VM_RING_LIFE_GONE;
    CHECK_EQ(grant_share_collect(rig.share, 2 * GRANT_GRACE_NS), all);
    CHECK_EQ(grant_share_collect(rig.share, 3 * GRANT_GRACE_NS), 0);
    CHECK_EQ(grant_share_pages(rig.share), 0);
    CHECK(fake_xen.deferred > 0);
    CHECK_EQ(grant_share_unshared(rig.share, SIZE_MAX), all);
    /* Others are given; those that it maps do not come again. */
    share_again(&rig, PAGES, all);
    CHECK_EQ(grant_share_unshared(rig.share, all - 1), all);
    rig_detach(&rig);
    xengnttab_close(gnttab);
    share_again(&rig, PAGES, all - PAGES);
    share_again(&rig, 1, all - PAGES - 1);
    CHECK_EQ(grant_share_unshared(rig.share, all - PAGES - 1), all - PAGES - 1);
    /* At a limit the kernel cannot be asked, and what is owed stays so. */
    fake_xen.limit = fake_xen.shared;
    CHECK_EQ(grant_share_unshared(rig.share, 0), all - PAGES - 1);
    fake_xen.limit = 0;
    CHECK_EQ(grant_share_unshared(rig.share, 0), 0);
    CHECK_EQ(grant_share_unshared(rig.share, 0), 0);
    rig_end(&rig);
}

/*
 * One that has let go owes nothing from then on, whoever is given those
 * references next and keeps them.
 */
static void let_go_owes_nothing(void)
{
    struct grant_rig rig;
    struct grant_share *other;
    struct region theirs = REGION_NONE;
    size_t all;

    CHECK_EQ(grant_share_open(RIG_AGENT, &other, NULL, 0), 0);
    rig_offer(&rig, PAGES, 2, 1);
    CHECK_EQ(rig_attach(&rig), 0);
    all = grant_share_pages(rig.share);
    rig_withdraw(&rig);
    rig_detach(&rig);
    CHECK_EQ(grant_share_unshared(rig.share, SIZE_MAX), 0);
    (void)grant_share_collect(rig.share, 0);
    CHECK_EQ(grant_share_collect(rig.share, GRANT_GRACE_NS), 0);
    CHECK_EQ(grant_share_unshared(rig.share, SIZE_MAX), 0);
    CHECK_EQ(grant_share_make(other, &theirs, all * RIG_PAGE, true, NULL, 0),
             0);
    share_again(&rig, PAGES, 0);
    CHECK_EQ(grant_share_unshared(rig.share, 0), 0);
    region_drop(&theirs);
    grant_share_close(other);
    rig_end(&rig);
}

/* The end of its domain ends what it owes. */
static void owed_until_destroyed(void)
{
    struct grant_rig rig;
    xengnttab_handle *gnttab = xengnttab_open(&grant_logger, 0);
    struct xen_vm_ring_life *life;

    rig_offer(&rig, PAGES, 2, 0);
    CHECK_EQ(rig_attach(&rig), 0);
    life = life_of(&rig, gnttab);
    life->consumer = XEN_VM_RING_LIFE_GONE;
    rig_withdraw(&rig);
    (void)grant_share_collect(rig.share, 0);
    CHECK_EQ(grant_share_collect(rig.share, GRANT_GRACE_NS), 0);
    CHECK(grant_share_unshared(rig.share, SIZE_MAX) > PAGES);
    grant_share_peer_gone(rig.share);
    CHECK_EQ(grant_share_unshared(rig.share, SIZE_MAX), 0);
    rig_detach(&rig);
    xengnttab_close(gnttab);
    share_again(&rig, PAGES, 0);
    rig_end(&rig);
}

/* The share is closed first: no page and no handle is forgotten. */
static void closed_first(void)
{
    struct grant_rig rig;

    rig_offer(&rig, PAGES, 2, 1);
    CHECK_EQ(rig_attach(&rig), 0);
    grant_share_close(rig.share);
    rig.handout = NULL;
    rig_withdraw(&rig);
    rig_detach(&rig);
    evtchn_close(rig.ours);
    fake_xen_check_empty();
}

int main(void)
{
    lets_go();
    handed_twice();
    never_came();
    domain_destroyed();
    lies();
    let_go_owes_nothing();
    owed_until_destroyed();
    closed_first();
    return 0;
}
