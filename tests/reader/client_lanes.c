/* SPDX-License-Identifier: MIT */
/* client_lanes.c: the header and the lanes, by the rules of docs/ABI.md. */
#include "client.h"
#include "client_words.h"

#define MAX_PULLS 64 /* X6: of one lane in a look */

static bool lies(uint64_t off, uint64_t count, uint64_t stride, uint64_t len,
                 uint64_t align)
{
    return off % align == 0 && off <= len && count * stride <= len - off;
}

uint64_t bitmap_words(const struct xen_vm_ring_header *h)
{
    uint64_t each = (h->nr_lanes + h->nr_groups - 1) / h->nr_groups;

    return (each + 63) / 64;
}

static bool areas_lie(const struct xen_vm_ring_header *h)
{
    return lies(h->request_off, h->nr_vcpus, h->slot_len, h->p_len, 128) &&
           lies(h->p_group_off, h->nr_groups, 128, h->p_len, 128) &&
           lies(h->lane_off, h->nr_lanes, 256, h->p_len, 128) &&
           lies(h->record_off, h->nr_lanes * h->slots_per_lane, h->record_len,
                h->p_len, 64) &&
           lies(h->response_off, h->nr_vcpus, h->slot_len, h->c_len, 128) &&
           lies(h->cursor_off, h->nr_lanes, 128, h->c_len, 128) &&
           lies(h->c_group_off, h->nr_groups, h->c_group_len, h->c_len, 128);
}

static bool bitmap_lies(const struct xen_vm_ring_header *h, uint32_t off)
{
    return off >= 128 && lies(off, bitmap_words(h), 8, h->c_group_len, 8);
}

int header_check(struct xen_vm_ring_header *h, const void *p, uint64_t p_len,
                 uint64_t c_len, bool frozen)
{
    uint64_t foreign;

    if (p_len < sizeof(*h))
        return 1;
    copy_from(h, p, sizeof(*h));
    if (h->magic != XEN_VM_RING_MAGIC || h->major != 1 || h->header_len < 384 ||
        h->header_len > 4096)
        return 1;
    if (h->p_len != p_len || (!frozen && h->c_len != c_len) ||
        h->p_len % 4096 || h->c_len % 4096)
        return 2;
    foreign = h->features >> 1 & 1;
    if (!h->nr_vcpus || h->nr_vcpus > 4096 ||
        h->nr_lanes != h->nr_vcpus + foreign || !h->nr_groups ||
        h->nr_groups > 64 || h->nr_groups > h->nr_vcpus || h->policy > 1 ||
        h->record_len < 64 || h->record_len > 512 || h->record_len % 64)
        return 3;
    if (h->slots_per_lane < 2 || h->slots_per_lane > 1U << 30 ||
        (h->slots_per_lane & (h->slots_per_lane - 1)) || h->slot_len < 512 ||
        h->slot_len > 4096 || h->slot_len % 128)
        return 4;
    if (!areas_lie(h))
        return 5;
    if (!h->c_group_len || h->c_group_len % 128 ||
        !bitmap_lies(h, h->attn_request_off) ||
        !bitmap_lies(h, h->attn_lane_off) || !bitmap_lies(h, h->answered_off))
        return 6;
    return 0;
}

struct lane lane_at(const struct xen_vm_ring_header *h, const unsigned char *p,
                    unsigned char *c, uint32_t number)
{
    uint64_t bytes = h->slots_per_lane * h->record_len;
    struct lane lane = {
        .line = p + h->lane_off + number * 256ULL,
        .records = p + h->record_off + number * bytes,
        .cursor = c ? c + h->cursor_off + number * 128ULL : NULL,
        .to_head = !c,
    };

    return lane;
}

static const unsigned char *word_of(const struct lane *lane, bool head)
{
    return lane->line + (head ? offsetof(struct xen_vm_ring_lane, head)
                              : offsetof(struct xen_vm_ring_lane, shown));
}

/* L11: how far the producer is.  false: broken. */
static bool look_at(const struct xen_vm_ring_header *h, struct lane *lane,
                    bool head, uint64_t *overwritten)
{
    uint64_t to = ld_acq(word_of(lane, head)); /* L2 */

    if (to - lane->tail > h->slots_per_lane) {
        if (h->policy == 0 || (to - lane->tail) >> 63)
            return false;
        *overwritten += to - h->slots_per_lane - lane->tail;
        lane->tail = to - h->slots_per_lane;
        lane->overrun = true;
    }
    lane->known = to;
    return true;
}

enum pull { RECORD, NOTHING, GAP, BROKEN };

/* L12: the record at the tail is another's. */
static enum pull overrun(const struct xen_vm_ring_header *h, struct lane *lane,
                         uint64_t state, uint64_t *overwritten)
{
    uint64_t slots = h->slots_per_lane;
    uint64_t d = ((state - 1) / 2 - lane->tail) & (UINT64_MAX >> 1);

    if (h->policy == 0 || d == 0 || d >> 62 || d % slots)
        return BROKEN;
    if (!lane->cursor && (d != slots || lane->known != lane->tail + slots))
        return BROKEN;
    lane->tail++;
    *overwritten += 1;
    lane->overrun = true;
    return GAP;
}

static enum pull pull(const struct xen_vm_ring_header *h, struct lane *lane,
                      struct xen_vm_ring_event *event, uint64_t *overwritten)
{
    uint64_t mask = h->slots_per_lane - 1;
    const unsigned char *record;
    uint64_t state;

    if (lane->known == lane->tail) {
        if (!look_at(h, lane, lane->to_head, overwritten) &&
            !(lane->overrun && look_at(h, lane, true, overwritten)))
            return BROKEN;
        if (lane->known == lane->tail)
            return NOTHING;
    }
    record = lane->records + (lane->tail & mask) * h->record_len;
    state = ld(record); /* L4 */
    if (state != 2 * lane->tail + 2) {
        if (!look_at(h, lane, true, overwritten) || lane->known == lane->tail)
            return BROKEN;
        record = lane->records + (lane->tail & mask) * h->record_len;
        state = ld(record);
        if (state != 2 * lane->tail + 2)
            return overrun(h, lane, state, overwritten);
    }
    copy_from(event, record, 64);
    if (event->length == 408 && h->record_len >= 408)
        copy_from(&event->regs, record + 64, 344);
    if (h->policy == 1) {
        __atomic_thread_fence(__ATOMIC_ACQUIRE); /* L5 */
        state = ld(record);
        if (state != 2 * lane->tail + 2)
            return overrun(h, lane, state, overwritten);
    }
    if (event->length != 64 && (event->length != 408 || h->record_len < 408))
        return BROKEN;
    lane->tail++;
    return RECORD;
}

unsigned int known_reason(const struct xen_vm_ring_event *event)
{
    return event->reason < NR_REASONS ? event->reason : 0;
}

bool pull_some(struct ring *ring, uint32_t number)
{
    struct lane *lane = &ring->lanes[number];
    struct taken *taken = &ring->taken[number];
    struct xen_vm_ring_event event;
    enum pull got = RECORD;

    for (int i = 0; i < MAX_PULLS && got != NOTHING; i++) {
        got = pull(&ring->header, lane, &event, &taken->overwritten);
        if (got == BROKEN)
            ring->broken = true;
        if (got == BROKEN)
            return false;
        if (got == RECORD)
            taken->records[known_reason(&event)]++;
    }
    st_rel(lane->cursor, lane->tail); /* L3, L14 */
    return got != NOTHING;
}

bool ring_drain(struct ring *ring, const void *p, uint64_t p_len)
{
    struct xen_vm_ring_header h;
    bool whole = true;

    if (header_check(&h, p, p_len, 0, true) ||
        (h.features & ~(uint64_t)XEN_VM_RING_FEATURES)) /* H10 */
        return false;
    for (uint32_t i = 0; i < h.nr_lanes; i++) {
        struct lane lane = lane_at(&h, p, NULL, i);
        uint32_t into = i < ring->header.nr_lanes ? i : 0;
        struct xen_vm_ring_event event;
        enum pull got = RECORD;
        uint64_t gaps = 0;

        lane.tail = lane.known =
            ld(lane.line + offsetof(struct xen_vm_ring_lane, resume));
        for (uint64_t n = 0;
             n <= h.slots_per_lane && (got == RECORD || got == GAP); n++) {
            got = pull(&h, &lane, &event, &gaps); /* E10, L13 */
            ring->taken[into].drained += got == RECORD;
        }
        whole = whole && got != BROKEN;
    }
    return whole;
}
