/* SPDX-License-Identifier: MIT */
/* grant_rig.c: see grant_rig.h. */
#include "grant_rig.h"

static void make(struct grant_rig *rig, struct region *region, size_t pages,
                 bool peer_reads_only)
{
    CHECK_EQ(grant_share_make(rig->share, region, pages * RIG_PAGE,
                              peer_reads_only, rig->error, sizeof(rig->error)),
             0);
    CHECK_EQ(region->len, pages * RIG_PAGE);
}

void rig_offer(struct grant_rig *rig, size_t p_pages, size_t c_pages,
               unsigned int nr_before)
{
    struct grant_offer offer;

    *rig = (struct grant_rig){.nr_before = nr_before};
    CHECK_EQ(grant_share_open(RIG_AGENT, &rig->share, rig->error,
                              sizeof(rig->error)),
             0);
    CHECK_EQ(evtchn_offer(RIG_AGENT, 1, NULL, &rig->ours, rig->error,
                          sizeof(rig->error)),
             0);
    make(rig, &rig->p, p_pages, true);
    make(rig, &rig->c, c_pages, false);
    rig->accept = (struct xen_vm_ring_accept){
        .epoch = 3, .p_len = rig->p.len, .c_len = rig->c.len};
    for (unsigned int i = 0; i < nr_before; i++) {
        make(rig, &rig->before[i], 1 + i, true);
        rig->accept.prev_p_len[i] = rig->before[i].len;
    }
    offer = (struct grant_offer){.p = &rig->p,
                                 .c = &rig->c,
                                 .before = rig->before,
                                 .nr_before = nr_before,
                                 .epoch = rig->accept.epoch,
                                 .port = evtchn_port(rig->ours, 0)};
    CHECK_EQ(grant_handout_make(rig->share, &offer, &rig->handout, &rig->gref,
                                rig->error, sizeof(rig->error)),
             0);
}

int rig_attach(struct grant_rig *rig)
{
    uint32_t port = evtchn_port(rig->ours, 0);

    CHECK_EQ(
        grant_map_open(RIG_BACKEND, &rig->map, rig->error, sizeof(rig->error)),
        0);
    CHECK_EQ(evtchn_bind(RIG_BACKEND, &port, 1, &rig->theirs, rig->error,
                         sizeof(rig->error)),
             0);
    return grant_map_attach(rig->map, rig->gref, evtchn_port(rig->theirs, 0),
                            &rig->accept, &rig->regions, rig->error,
                            sizeof(rig->error));
}

void rig_detach(struct grant_rig *rig)
{
    region_drop(&rig->regions.p);
    region_drop(&rig->regions.c);
    while (rig->regions.nr_before)
        region_drop(&rig->regions.before[--rig->regions.nr_before]);
    grant_map_close(rig->map);
    evtchn_close(rig->theirs);
    rig->map = NULL;
    rig->theirs = NULL;
}

void rig_withdraw(struct grant_rig *rig)
{
    region_drop(&rig->p);
    region_drop(&rig->c);
    while (rig->nr_before)
        region_drop(&rig->before[--rig->nr_before]);
    grant_handout_end(rig->handout);
    rig->handout = NULL;
}

void rig_end(struct grant_rig *rig)
{
    rig_detach(rig);
    rig_withdraw(rig);
    grant_share_close(rig->share);
    evtchn_close(rig->ours);
    fake_xen_check_empty();
}
