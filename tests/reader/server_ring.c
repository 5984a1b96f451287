/* SPDX-License-Identifier: MIT */
/* server_ring.c: requests, records and verdicts, by the rules of docs/ABI.md.
 */
#include <sys/socket.h>

#include "client_words.h"
#include "server.h"

static unsigned char *group_at(const struct ring *ring, uint32_t group)
{
    return ring->c + ring->header.c_group_off +
           (uint64_t)group * ring->header.c_group_len;
}

static unsigned char *slot_at(const struct ring *ring, uint32_t v)
{
    return ring->p + ring->header.request_off +
           (uint64_t)v * ring->header.slot_len;
}

static unsigned char *response_at(const struct ring *ring, uint32_t v)
{
    return ring->c + ring->header.response_off +
           (uint64_t)v * ring->header.slot_len;
}

static unsigned char *lane_at(const struct ring *ring, uint32_t v)
{
    return ring->p + ring->header.lane_off + v * 256ULL;
}

static void fence_release(void)
{
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

/* ------------------------------------------------------------- requests -- */

void ring_post(struct ring *ring, uint32_t v, const struct xen_vm_ring_event *e)
{
    struct vcpu *vcpu = &ring->vcpus[v];
    unsigned char *slot = slot_at(ring, v);

    vcpu->request = *e;
    vcpu->pends = true;
    vcpu->deadline = ring->header.deadline ? now_ns() + ring->header.deadline
                                           : UINT64_MAX; /* T1 */
    vcpu->tally[e->reason].requests++;
    fence_release(); /* S2 */
    copy_to(slot + 8, (const unsigned char *)e + 8, 64 - 8);
    st_rel(slot, ++vcpu->seq); /* S1: odd */
    ring->requests[v % ring->header.nr_groups] |= UINT64_C(1)
                                                  << v / ring->header.nr_groups;
}

static void retire(struct ring *ring, uint32_t v)
{
    struct vcpu *vcpu = &ring->vcpus[v];

    st(slot_at(ring, v), ++vcpu->seq); /* S2: even */
    vcpu->pends = false;
}

/* A1 to A7, for a producer that negotiates no verdict: nothing but neutral. */
static bool passes(const struct xen_vm_ring_response *r, uint16_t reason)
{
    return r->reason == reason && !(r->flags & ~XEN_VM_RING_FLAGS_VOID) &&
           !r->reserved[0] && !r->reserved[1] && !r->reserved[2];
}

/* S8: is there an answer, and a good one? */
static bool answered(struct ring *ring, uint32_t v)
{
    struct vcpu *vcpu = &ring->vcpus[v];
    struct xen_vm_ring_response copy;

    if (!vcpu->pends || ld_acq(response_at(ring, v)) != vcpu->seq) { /* S3 */
        ring->ignored++;
        return false;
    }
    copy_from(&copy, response_at(ring, v), sizeof(copy));
    if (!passes(&copy, vcpu->request.reason)) {
        ring->ignored++;
        return false;
    }
    vcpu->tally[vcpu->request.reason].answered++;
    retire(ring, v);
    return true;
}

/* T3: neutral, after a last look (T4). */
static unsigned int collect_due(struct ring *ring, bool released)
{
    uint64_t now = now_ns();
    unsigned int nr = 0;

    for (uint32_t v = 0; v < ring->header.nr_vcpus; v++) {
        struct vcpu *vcpu = &ring->vcpus[v];

        if (!vcpu->pends || (!released && vcpu->deadline > now))
            continue;
        nr++;
        if (ld_acq(response_at(ring, v)) == vcpu->seq && answered(ring, v))
            continue;
        vcpu->tally[vcpu->request.reason].defaulted++;
        retire(ring, v);
    }
    return nr;
}

unsigned int ring_collect(struct ring *ring, bool released)
{
    unsigned int nr = collect_due(ring, released);

    for (uint32_t g = 0; g < ring->header.nr_groups; g++) {
        unsigned char *word = group_at(ring, g) + ring->header.answered_off;
        uint64_t bits = ld(word) ? exchange(word, 0) : 0;

        full_barrier(); /* D1, by D7 */
        for (uint32_t v = g, bit = 0; v < ring->header.nr_vcpus;
             v += ring->header.nr_groups, bit++)
            if (bits >> bit & 1) /* R7: the others are void */
                nr += answered(ring, v);
    }
    return nr;
}

bool ring_arm(struct ring *ring)
{
    ring->arming++;
    for (uint32_t g = 0; g < ring->header.nr_groups; g++)
        st(ring->p + ring->header.p_group_off + 128ULL * g, ring->arming);
    full_barrier(); /* D2, by D7 */
    for (uint32_t g = 0; g < ring->header.nr_groups; g++)
        if (ld(group_at(ring, g) + ring->header.answered_off))
            return false;
    return true;
}

bool ring_pends(const struct ring *ring)
{
    for (uint32_t v = 0; v < ring->header.nr_vcpus; v++)
        if (ring->vcpus[v].pends)
            return true;
    return false;
}

/* -------------------------------------------------------------- records -- */

static void show(struct ring *ring, uint32_t v)
{
    struct vcpu *vcpu = &ring->vcpus[v];

    if (vcpu->shown != vcpu->head)
        st_rel(lane_at(ring, v) + offsetof(struct xen_vm_ring_lane, shown),
               vcpu->shown = vcpu->head); /* L2 */
}

/* L7: with discarding. */
static bool has_room(struct ring *ring, uint32_t v)
{
    struct vcpu *vcpu = &ring->vcpus[v];
    uint64_t cons;

    if (vcpu->head - vcpu->cons < ring->header.slots_per_lane)
        return !vcpu->faulted;
    show(ring, v); /* L9 */
    if (vcpu->faulted)
        return false;
    cons = ld_acq(ring->c + ring->header.cursor_off + 128ULL * v); /* L3 */
    if (cons - vcpu->cons > vcpu->head - vcpu->cons)
        vcpu->faulted = true;
    else
        vcpu->cons = cons;
    return !vcpu->faulted &&
           vcpu->head - vcpu->cons < ring->header.slots_per_lane;
}

void ring_push(struct ring *ring, uint32_t v, const struct xen_vm_ring_event *e)
{
    const struct xen_vm_ring_header *h = &ring->header;
    struct vcpu *vcpu = &ring->vcpus[v];
    struct xen_vm_ring_event event = *e;
    bool overwrites = h->policy == XEN_VM_RING_POLICY_OVERWRITE;
    unsigned char *record =
        ring->p + h->record_off +
        (v * h->slots_per_lane + vcpu->head % h->slots_per_lane) *
            h->record_len;

    vcpu->tally[e->reason].records++;
    if (!overwrites && !has_room(ring, v)) {
        vcpu->tally[e->reason].discarded++;
        st(lane_at(ring, v) + offsetof(struct xen_vm_ring_lane, lost),
           ++vcpu->lost); /* L1 */
        return;
    }
    if (overwrites) {
        st(record, 2 * vcpu->head + 1);
        fence_release(); /* L5 */
    }
    event.lost = (uint32_t)vcpu->lost; /* F9 */
    copy_to(record + 8, (const unsigned char *)&event + 8, 64 - 8);
    st(record, 2 * vcpu->head + 2); /* L4 */
    st_rel(lane_at(ring, v) + offsetof(struct xen_vm_ring_lane, head),
           ++vcpu->head); /* L1, L2 */
    vcpu->untold = true;
}

/* ------------------------------------------------------------ doorbells -- */

/* D2, D4. */
static void wake(const struct ring *ring, uint32_t group)
{
    unsigned char *armed = group_at(ring, group);

    full_barrier();
    if (ld(armed) && exchange(armed, 0))
        (void)!send(ring->bells[group], "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* true: one was new. */
static bool set_bits(unsigned char *word, uint64_t bits)
{
    uint64_t new = bits & ~ld(word);

    if (new)
        __atomic_fetch_or((uint64_t *)(void *)word, new, __ATOMIC_RELAXED);
    return new;
}

static void flush_group(struct ring *ring, uint32_t group)
{
    const struct xen_vm_ring_header *h = &ring->header;
    uint64_t requests = ring->requests[group], lanes = 0;
    bool new;

    for (uint32_t v = group, bit = 0; v < h->nr_vcpus;
         v += h->nr_groups, bit++) {
        if (!ring->vcpus[v].untold)
            continue;
        show(ring, v);
        lanes |= UINT64_C(1) << bit;
        ring->vcpus[v].untold = false;
    }
    ring->requests[group] = 0;
    if (!requests && !lanes)
        return;
    full_barrier(); /* D1 */
    new = set_bits(group_at(ring, group) + h->attn_request_off, requests);
    new = set_bits(group_at(ring, group) + h->attn_lane_off, lanes) || new;
    if (new)
        wake(ring, group);
}

void ring_flush(struct ring *ring)
{
    for (uint32_t g = 0; g < ring->header.nr_groups; g++)
        flush_group(ring, g);
}

void ring_end(struct ring *ring)
{
    unsigned char *header = ring->p;

    ring_flush(ring);
    st(header + offsetof(struct xen_vm_ring_header, shutdown_reason), 0);
    st_rel(header + offsetof(struct xen_vm_ring_header, target_state),
           XEN_VM_RING_TARGET_SHUTDOWN); /* H13 */
    for (uint32_t g = 0; g < ring->header.nr_groups; g++)
        wake(ring, g); /* D9 */
}
