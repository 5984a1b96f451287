/* SPDX-License-Identifier: MIT */
/* peer.c: what the other side does, now or between two accesses of a call. */
#include "ring.h"

#include <string.h>

enum where {
    AT_ACCESS, /* the word that is about to be read */
    AT_P,
    AT_C,
    AT_HEADER,
    AT_REQUEST,
    AT_LANE,
    AT_RECORD,
    AT_P_GROUP,
    AT_RESPONSE,
    AT_CURSOR,
    AT_C_GROUP,
    AT_ATTN_REQUEST,
    AT_ATTN_LANE,
    AT_ANSWERED,
    AT_FORGERY, /* a whole response, or a whole request */
    AN_ACT,     /* no write: a call of the honest peer */
};

static uint64_t *word_in(unsigned char *region, uint64_t len, uint64_t off)
{
    return (uint64_t *)(void *)(region + off % len / 8 * 8);
}

/* A region's word, given an offset that lies in it. */
static uint64_t *word_at(unsigned char *region, uint64_t off)
{
    return (uint64_t *)(void *)(region + off / 8 * 8);
}

/* The word that `at` is, in the mapping that the peer can write. */
static uint64_t *accessed(struct ring *ring, const void *at)
{
    struct area *area = ring_area(ring);
    uintptr_t p = (uintptr_t)at - (uintptr_t)area->p_reads;
    uintptr_t c = (uintptr_t)at - (uintptr_t)area->c;

    if (ring->tested == CONSUMER && p < ring->geo.p_len)
        return word_at(area->p, p);
    if (c < ring->geo.c_len)
        return word_at(area->c, c);
    return NULL;
}

static uint64_t record_off(const struct ring *ring, const struct move *move)
{
    const struct vmr_geometry *geo = &ring->geo;
    uint64_t lane = move->index % geo->nr_lanes;

    return geo->record_off + (lane * geo->nr_records +
                              (move->index / geo->nr_lanes) % geo->nr_records) *
                                 geo->record_len;
}

/* Where in P; UINT64_MAX: elsewhere. */
static uint64_t off_in_p(const struct ring *ring, const struct move *move)
{
    const struct vmr_geometry *geo = &ring->geo;
    uint64_t word = move->word * 8ULL;

    switch (move->where) {
    case AT_P:
        return move->index * 256ULL * 8 + word;
    case AT_HEADER:
        return word % sizeof(struct xen_vm_ring_header);
    case AT_REQUEST:
        return geo->request_off +
               (uint64_t)(move->index % geo->nr_vcpus) * geo->slot_len +
               word % geo->slot_len;
    case AT_LANE:
        return geo->lane_off +
               (uint64_t)(move->index % geo->nr_lanes) * XEN_VM_RING_LANE +
               (word & 8 ? XEN_VM_RING_LINE : word % 32);
    case AT_RECORD:
        return record_off(ring, move) + word % geo->record_len;
    case AT_P_GROUP:
        return geo->p_group_off +
               (uint64_t)(move->index % geo->nr_groups) * XEN_VM_RING_LINE;
    default:
        return UINT64_MAX;
    }
}

static uint64_t off_in_c(const struct ring *ring, const struct move *move)
{
    const struct vmr_geometry *geo = &ring->geo;
    uint64_t block =
        geo->c_group_off +
        (uint64_t)(move->index % geo->nr_groups) * geo->c_group_len;
    uint64_t word = move->word % ring_words(geo) * 8ULL;

    switch (move->where) {
    case AT_RESPONSE:
        return geo->response_off +
               (uint64_t)(move->index % geo->nr_vcpus) * geo->slot_len +
               move->word * 8ULL % geo->slot_len;
    case AT_CURSOR:
        return geo->cursor_off +
               (uint64_t)(move->index % geo->nr_lanes) * XEN_VM_RING_LINE;
    case AT_C_GROUP:
        return block;
    case AT_ATTN_REQUEST:
        return block + geo->attn_request_off + word;
    case AT_ATTN_LANE:
        return block + geo->attn_lane_off + word;
    case AT_ANSWERED:
        return block + geo->answered_off + word;
    default:
        return move->index * 256ULL * 8 + move->word * 8ULL;
    }
}

/* Of all moves but AT_ACCESS, AT_FORGERY and AN_ACT, in this epoch. */
static uint64_t *target_of(struct ring *ring, const struct move *move)
{
    struct area *area = ring_area(ring);
    uint64_t off;

    off = ring->tested == CONSUMER ? off_in_p(ring, move) : UINT64_MAX;
    if (off != UINT64_MAX)
        return word_in(area->p, ring->geo.p_len, off);
    return word_in(area->c, ring->geo.c_len, off_in_c(ring, move));
}

/* A value that would be right there, or nearly. */
static uint64_t plausible(const struct ring *ring, const struct move *move)
{
    const struct vmr_geometry *geo = &ring->geo;
    const struct vmr_lane_tx *lane =
        &ring->tx.lanes[move->index % geo->nr_lanes];

    switch (move->where) {
    case AT_LANE:
    case AT_CURSOR:
        return lane->head + move->value;
    case AT_RECORD:
        return 2 * lane->head + move->value;
    default:
        return ring->tx.slots[move->index % geo->nr_vcpus].seq + move->value;
    }
}

static uint64_t changed(const struct ring *ring, const struct move *move,
                        uint64_t old)
{
    static const uint16_t lengths[] = {0,   64,  408, 63,    65,    400,
                                       416, 448, 512, 65535, 32768, 1};

    switch (move->how) {
    case 0:
        return move->value;
    case 1:
        return ~move->value;
    case 2:
        return old + move->value;
    case 3:
        return old - move->value;
    case 4:
        return old | 1ULL << move->value % 64;
    case 5:
        return old ^ 1ULL << move->value % 64;
    case 6:
        return plausible(ring, move);
    case 7: /* the last field of an event's fourth word */
        return (old & 0xffffffffffffULL) | (uint64_t)lengths[move->value % 12]
                                               << 48;
    case 8:
        return move->value << 32;
    case 9:
        return old + (move->value << 32);
    default:
        return move->value * 0x0101010101010101ULL;
    }
}

/* An answer to what is asked, with any flags, and the hint that it is there. */
static void forge_response(struct ring *ring, const struct move *move)
{
    const struct vmr_geometry *geo = &ring->geo;
    uint32_t vcpu = move->index % geo->nr_vcpus;
    const struct vmr_slot_tx *slot = &ring->tx.slots[vcpu];
    unsigned char *c = ring_area(ring)->c;
    struct xen_vm_ring_response *response =
        (void *)(c + geo->response_off + (uint64_t)vcpu * geo->slot_len);
    struct xen_vm_ring_c_group *group =
        (void *)(c + geo->c_group_off +
                 (uint64_t)vmr_group_of(geo, vcpu) * geo->c_group_len);
    uint64_t *answered = (void *)((unsigned char *)group + geo->answered_off);

    watch_note_store(response, sizeof(*response));
    watch_note_store(&answered[vmr_bit_of(geo, vcpu) / 64], 8);
    response->flags = (uint32_t)move->value;
    response->reason = slot->fifo[slot->first]->event.reason;
    if (move->how & 1)
        response->reserved[move->how >> 1 & 1] = move->word;
    if (move->how & 4)
        response->inject.vector = move->word * 3U;
    response->data.emul_read.size = move->word * 2U;
    response->seq = slot->seq - (move->how >> 3);
    answered[vmr_bit_of(geo, vcpu) / 64] |= 1ULL << vmr_bit_of(geo, vcpu) % 64;
}

/* A request that nobody raised, under a seq of the forger's. */
static void forge_request(struct ring *ring, const struct move *move)
{
    uint32_t vcpu = move->index % ring->geo.nr_vcpus;
    struct xen_vm_ring_event *slot =
        (void *)(ring_area(ring)->p + ring->geo.request_off +
                 (uint64_t)vcpu * ring->geo.slot_len);

    watch_note_store(slot, sizeof(*slot));
    *slot =
        ring_event(move->word, vcpu + move->how, move->value, move->how & 1);
    slot->state = 2 * move->value + 1;
}

static void act(struct ring *ring, const struct move *move)
{
    if (ring->tested == PRODUCER)
        consumer_act(ring, move->word, move->index);
    else
        producer_act(ring, move->word, move->index);
}

/* Where a write goes.  The same for all that a move makes in an epoch. */
static uint64_t *find_target(struct ring *ring, struct move *move,
                             const void *at)
{
    if (move->where == AT_ACCESS)
        return at ? accessed(ring, at) : NULL;
    if (!move->target || move->epoch != ring->epoch) {
        move->target = target_of(ring, move);
        move->epoch = ring->epoch;
    }
    return move->target;
}

static void perform(struct ring *ring, struct move *move, const void *at)
{
    uint64_t *word;

    if (move->where == AN_ACT) {
        act(ring, move);
    } else if (move->where == AT_FORGERY) {
        if (ring->tested == PRODUCER)
            forge_response(ring, move);
        else
            forge_request(ring, move);
    } else {
        word = find_target(ring, move, at);
        if (!word)
            return;
        watch_note_store(word, sizeof(*word));
        *word = changed(ring, move, *word);
    }
}

void peer_plan(struct ring *ring, struct input *in)
{
    static const uint16_t repeats[] = {1, 1, 8, 20000};
    uint8_t when = take8(in), how = take8(in);
    struct move move = {
        .delay = when & 0x3f,
        .every = 1,
        .left = repeats[when >> 6],
        .where = how & 15,
        .how = how >> 4,
    };

    move.index = take8(in);
    move.word = take8(in);
    if (move.where == AT_FORGERY)
        move.value = take16(in) | (uint64_t)take8(in) << 16;
    else if (move.where != AN_ACT)
        move.value = take8(in);
    if (move.where == AN_ACT) {
        move.left = move.left > 8 ? 8 : move.left;
        move.of_stores = move.how & 1;
    }
    if (move.where == AT_FORGERY && move.left > 512)
        move.left = 512;
    if (move.where != AN_ACT)
        ring->honest = false;
    if (!move.delay) {
        perform(ring, &move, NULL);
        if (!--move.left)
            return;
        move.delay = 1;
    }
    if (ring->nr_moves < MAX_MOVES)
        ring->moves[ring->nr_moves++] = move;
}

void peer_turn(struct ring *ring, const void *at, enum shim_kind kind)
{
    for (unsigned int i = 0; i < ring->nr_moves; i++) {
        struct move *move = &ring->moves[i];

        if ((move->of_stores && kind == SHIM_LOAD) || --move->delay)
            continue;
        move->delay = move->every;
        if (--move->left) {
            perform(ring, move, at);
        } else {
            struct move last = *move;

            *move = ring->moves[--ring->nr_moves];
            i--;
            perform(ring, &last, at);
        }
    }
}
