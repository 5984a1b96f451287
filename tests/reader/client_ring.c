/* SPDX-License-Identifier: MIT */
/* client_ring.c: slots and doorbells, by the rules of docs/ABI.md. */
#include <stdlib.h>

#include "client.h"
#include "client_words.h"

/* -------------------------------------------------------------- slots -- */

static void set_bit(uint64_t *bits, uint32_t bit)
{
    bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

static struct xen_vm_ring_response verdict(const struct ring *ring,
                                           const struct xen_vm_ring_event *e)
{
    struct xen_vm_ring_response r = {.reason = e->reason};

    if (ring->denies && e->reason == XEN_VM_RING_REASON_WRITE_CTRLREG)
        r.flags = XEN_VM_RING_FLAG_DENY;
    return r;
}

/* vCPU v, which is that bit of its group. */
static void take(struct ring *ring, struct group *group, uint32_t v,
                 uint32_t bit)
{
    const unsigned char *slot = ring->p + ring->header.request_off +
                                v * (uint64_t)ring->header.slot_len;
    unsigned char *to = ring->c + ring->header.response_off +
                        v * (uint64_t)ring->header.slot_len;
    struct taken *taken = &ring->taken[v];
    struct xen_vm_ring_response response;
    struct xen_vm_ring_event event;
    uint64_t seq = ld_acq(slot); /* S1 */

    if (seq % 2 == 0 || seq == ring->taken_seq[v])
        return;
    copy_from(&event, slot, sizeof(event));
    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* S2 */
    if (ld(slot) != seq)
        return;
    ring->taken_seq[v] = seq;
    if (event.length != 64 && event.length != 408) {
        ring->broken = true; /* S7 */
        return;
    }
    taken->requests[known_reason(&event)]++;
    taken->reposted += event.flags >> 17 & 1;
    response = verdict(ring, &event);
    if (ring->answered_seq[v] == seq) /* S4 */
        return;
    ring->answered_seq[v] = seq;
    copy_to(to + 8, (unsigned char *)&response + 8, sizeof(response) - 8);
    st_rel(to, seq); /* S3 */
    taken->answered++;
    set_bit(group->given, bit);
}

/* ---------------------------------------------------------- doorbells -- */

static void fetch(struct ring *ring, struct group *group)
{
    for (uint64_t i = 0; i < bitmap_words(&ring->header); i++) {
        unsigned char *requests =
            group->block + ring->header.attn_request_off + 8 * i;
        unsigned char *lanes =
            group->block + ring->header.attn_lane_off + 8 * i;

        if (ld(requests))
            group->requests[i] |= exchange(requests, 0);
        if (ld(lanes))
            group->lanes[i] |= exchange(lanes, 0);
    }
    full_barrier(); /* D1 */
}

static bool take_bit(uint64_t *bits, uint32_t bit)
{
    uint64_t mask = UINT64_C(1) << bit % 64;
    bool was = bits[bit / 64] & mask;

    bits[bit / 64] &= ~mask;
    return was;
}

static void tell(struct ring *ring, uint32_t number)
{
    struct group *group = &ring->groups[number];
    bool any = false, new = false;
    uint64_t armed;

    for (uint64_t i = 0; i < bitmap_words(&ring->header); i++)
        any = any || group->given[i];
    if (!any)
        return;
    full_barrier(); /* D1 */
    for (uint64_t i = 0; i < bitmap_words(&ring->header); i++) {
        unsigned char *at = group->block + ring->header.answered_off + 8 * i;
        uint64_t bits = group->given[i] & ~ld(at);

        group->given[i] = 0;
        if (bits)
            __atomic_fetch_or((uint64_t *)(void *)at, bits, __ATOMIC_RELAXED);
        new = new || bits;
    }
    if (!new)
        return;
    full_barrier(); /* D2 */
    armed = ld(group->armed_for_answers);
    if (armed && armed != group->rung) {
        group->rung = armed;
        ring->ring_doorbell(number);
    }
}

static bool take_requests(struct ring *ring, uint32_t number)
{
    const struct xen_vm_ring_header *h = &ring->header;
    struct group *group = &ring->groups[number];
    bool any = false;

    for (uint32_t v = number, bit = 0; v < h->nr_vcpus && !ring->broken;
         v += h->nr_groups, bit++) {
        if (!take_bit(group->requests, bit))
            continue;
        take(ring, group, v, bit);
        any = true;
    }
    return any;
}

static bool take_records(struct ring *ring, uint32_t number)
{
    const struct xen_vm_ring_header *h = &ring->header;
    struct group *group = &ring->groups[number];
    bool any = false;

    for (uint32_t l = number, bit = 0; l < h->nr_lanes && !ring->broken;
         l += h->nr_groups, bit++) {
        if (!take_bit(group->lanes, bit))
            continue;
        if (pull_some(ring, l))
            set_bit(group->lanes, bit);
        any = true;
    }
    return any;
}

bool ring_look(struct ring *ring)
{
    bool any = false;

    for (uint32_t g = 0; g < ring->header.nr_groups; g++) {
        fetch(ring, &ring->groups[g]);
        any = take_requests(ring, g) || any;
        any = take_records(ring, g) || any;
        tell(ring, g);
    }
    return any;
}

bool ring_arm(struct ring *ring)
{
    bool any = false;

    for (uint32_t g = 0; g < ring->header.nr_groups; g++) {
        struct group *group = &ring->groups[g];
        bool bit = false;

        st(group->block, 1);
        full_barrier(); /* D2 */
        for (uint64_t i = 0; i < bitmap_words(&ring->header); i++)
            bit = bit ||
                  ld(group->block + ring->header.attn_request_off + 8 * i) ||
                  ld(group->block + ring->header.attn_lane_off + 8 * i);
        if (bit)
            st(group->block, 0);
        any = any || bit;
    }
    return !any;
}

static void all_bits(struct ring *ring)
{
    for (uint32_t g = 0; g < ring->header.nr_groups; g++) {
        memset(ring->groups[g].requests, 0xff,
               sizeof(ring->groups[g].requests));
        memset(ring->groups[g].lanes, 0xff, sizeof(ring->groups[g].lanes));
    }
}

void ring_to_head(struct ring *ring)
{
    for (uint32_t l = 0; l < ring->header.nr_lanes; l++)
        ring->lanes[l].to_head = true;
    all_bits(ring); /* D5 */
}

bool ring_has_ended(const struct ring *ring)
{
    uint64_t state =
        ld_acq(ring->p + offsetof(struct xen_vm_ring_header, target_state));
    uint64_t why =
        ld(ring->p + offsetof(struct xen_vm_ring_header, shutdown_reason));

    return state > 2 || (state == 2 && why != XEN_VM_RING_SHUTDOWN_SUSPEND);
}

uint64_t ring_lost(const struct ring *ring, uint32_t lane)
{
    const unsigned char *line = ring->lanes[lane].line;

    return ld(line + offsetof(struct xen_vm_ring_lane, lost)) +
           ld(line + offsetof(struct xen_vm_ring_lane, lost_contended));
}

void ring_open(struct ring *ring, const void *p, void *c)
{
    const struct xen_vm_ring_header *h = &ring->header;

    ring->p = p;
    ring->c = c;
    ring->lanes = calloc(h->nr_lanes, sizeof(*ring->lanes));
    ring->taken = calloc(h->nr_lanes, sizeof(*ring->taken));
    ring->taken_seq = calloc(h->nr_vcpus, sizeof(*ring->taken_seq));
    ring->answered_seq = calloc(h->nr_vcpus, sizeof(*ring->answered_seq));
    if (!ring->lanes || !ring->taken || !ring->taken_seq || !ring->answered_seq)
        abort();
    for (uint32_t l = 0; l < h->nr_lanes; l++)
        ring->lanes[l] = lane_at(h, ring->p, ring->c, l);
    for (uint32_t g = 0; g < h->nr_groups; g++) {
        ring->groups[g].block =
            ring->c + h->c_group_off + g * (uint64_t)h->c_group_len;
        ring->groups[g].armed_for_answers =
            ring->p + h->p_group_off + 128ULL * g;
    }
    all_bits(ring);
}

void ring_close(struct ring *ring)
{
    free(ring->lanes);
    free(ring->taken);
    free(ring->taken_seq);
    free(ring->answered_seq);
}
