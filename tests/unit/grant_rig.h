/* SPDX-License-Identifier: MIT */
/* grant_rig.h: both ends of granted pages, on a fake Xen. */
#ifndef VMRING_TESTS_GRANT_RIG_H
#define VMRING_TESTS_GRANT_RIG_H

#include "transport/grant/evtchn.h"
#include "transport/grant/pages.h"

#include "check.h"
#include "fake_xen.h"

#define RIG_BACKEND 0
#define RIG_AGENT   7
#define RIG_PAGE    4096

struct grant_rig {
    char error[256];
    struct grant_share *share;
    struct evtchn *ours, *theirs;
    struct region p, c, before[XEN_VM_RING_MAX_PREV];
    unsigned int nr_before;
    struct grant_handout *handout;
    uint32_t gref;
    struct grant_map *map;
    struct link_regions regions;
    struct xen_vm_ring_accept accept;
};

/* The producer's side, of that many pages, and what the consumer needs. */
void rig_offer(struct grant_rig *rig, size_t p_pages, size_t c_pages,
               unsigned int nr_before);
/* The consumer's; returns what attaching did. */
int rig_attach(struct grant_rig *rig);
/* The consumer lets go of everything. */
void rig_detach(struct grant_rig *rig);
/* The producer drops its regions and ends the handout. */
void rig_withdraw(struct grant_rig *rig);
/* Nothing is left of either. */
void rig_end(struct grant_rig *rig);

#endif /* VMRING_TESTS_GRANT_RIG_H */
