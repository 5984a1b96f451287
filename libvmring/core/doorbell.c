/* SPDX-License-Identifier: MIT */
#include "doorbell.h"

#include "atomic.h"

void vmr_bits_init(struct vmr_bits *bits, uint64_t *words, uint32_t nr_words)
{
    for (uint32_t i = 0; i < nr_words; i++)
        words[i] = 0;
    bits->words = words;
    bits->nr_words = nr_words;
    bits->low = bits->high = 0;
}

/* The words from `low` up to `high` may hold bits from now on. */
static void widen(struct vmr_bits *bits, uint32_t low, uint32_t high)
{
    if (bits->low == bits->high) {
        bits->low = low;
        bits->high = high;
        return;
    }
    if (low < bits->low)
        bits->low = low;
    if (high > bits->high)
        bits->high = high;
}

void vmr_bits_set(struct vmr_bits *bits, uint32_t bit)
{
    bits->words[bit / 64] |= 1ULL << bit % 64;
    widen(bits, bit / 64, bit / 64 + 1);
}

void vmr_bits_set_all(struct vmr_bits *bits, uint32_t nr)
{
    for (uint32_t bit = 0; bit < nr; bit++)
        vmr_bits_set(bits, bit);
}

void vmr_bits_clear(struct vmr_bits *bits, uint32_t bit)
{
    bits->words[bit / 64] &= ~(1ULL << bit % 64);
}

/*
 * The lowest bit set, of a word that is not 0.  In halves: i386 has 64 bits of
 * it only in libgcc.
 */
static uint32_t lowest(uint64_t word)
{
    uint32_t low = (uint32_t)word;

    return low ? (uint32_t)__builtin_ctz(low)
               : 32 + (uint32_t)__builtin_ctz((uint32_t)(word >> 32));
}

bool vmr_bits_from(const struct vmr_bits *bits, uint32_t from, uint32_t *bit)
{
    uint32_t first = from / 64;
    uint64_t mask = ~0ULL << from % 64;

    if (first < bits->low) {
        first = bits->low;
        mask = ~0ULL;
    }
    for (uint32_t i = first; i < bits->high; i++, mask = ~0ULL) {
        uint64_t word = bits->words[i] & mask;

        if (word) {
            *bit = i * 64 + lowest(word);
            return true;
        }
    }
    return false;
}

bool vmr_bits_next(struct vmr_bits *bits, uint32_t from, uint32_t *bit)
{
    if (vmr_bits_from(bits, from, bit) || (from && vmr_bits_from(bits, 0, bit)))
        return true;
    bits->low = bits->high = 0;
    return false;
}

/* How many of `nr` are dealt to the group. */
static uint32_t share(const struct vmr_geometry *geo, uint32_t group,
                      uint32_t nr)
{
    return (nr - group + geo->nr_groups - 1) / geo->nr_groups;
}

struct group_block {
    struct xen_vm_ring_c_group *line;
    xen_vm_ring_u64 *attn_request, *attn_lane, *answered;
};

static struct group_block c_block(const struct vmr_geometry *geo,
                                  uint32_t group, void *c)
{
    unsigned char *block = (unsigned char *)c + geo->c_group_off +
                           (uint64_t)group * geo->c_group_len;

    return (struct group_block){
        .line = (void *)block,
        .attn_request = (void *)(block + geo->attn_request_off),
        .attn_lane = (void *)(block + geo->attn_lane_off),
        .answered = (void *)(block + geo->answered_off),
    };
}

void vmr_bell_tx_init(struct vmr_bell_tx *tx, const struct vmr_geometry *geo,
                      uint32_t group, void *p, void *c, uint64_t *words)
{
    struct group_block block = c_block(geo, group, c);
    uint32_t nr_words = vmr_bitmap_words(geo, geo->nr_lanes);

    tx->answers = (void *)((unsigned char *)p + geo->p_group_off +
                           (uint64_t)group * XEN_VM_RING_LINE);
    tx->line = block.line;
    tx->attn_request = block.attn_request;
    tx->attn_lane = block.attn_lane;
    tx->answered = block.answered;
    vmr_bits_init(&tx->requests, words, nr_words);
    vmr_bits_init(&tx->lanes, words + nr_words, nr_words);
    vmr_bits_init(&tx->verdicts, words + 2 * (size_t)nr_words, nr_words);
    tx->nr_vcpus = share(geo, group, geo->nr_vcpus);
    tx->arming = 0;
}

/*
 * Sets the bits that are marked in `from` and not yet set in the consumer's
 * words.  false: fault.  *set tells whether any was new.
 */
static bool set_attention(struct vmr_bits *from, xen_vm_ring_u64 *attention,
                          bool *set)
{
    for (uint32_t i = from->low; i < from->high; i++) {
        /* A bit that is set already: its consumer has yet to look. */
        uint64_t fresh = from->words[i] & ~vmr_load_relaxed(&attention[i]);

        from->words[i] = 0;
        if (!fresh)
            continue;
        if (!vmr_or(&attention[i], fresh))
            return false;
        *set = true;
    }
    from->low = from->high = 0;
    return true;
}

enum vmr_flush vmr_bell_wake(struct vmr_bell_tx *tx)
{
    uint64_t armed;

    /*
     * Between our bits (or state) and the look at armed.  Pairs with the full
     * barrier in vmr_bell_arm() (docs/ABI.md, D2).
     */
    vmr_fence_full();
    if (!vmr_load_relaxed(&tx->line->armed))
        return VMR_FLUSH_QUIET;
    /* Of several producers only the one that takes the 1 away rings. */
    if (!vmr_exchange(&tx->line->armed, 0, &armed))
        return VMR_FLUSH_FAULT;
    return armed ? VMR_FLUSH_RING : VMR_FLUSH_QUIET;
}

enum vmr_flush vmr_bell_flush(struct vmr_bell_tx *tx)
{
    bool set = false;

    if (tx->requests.low == tx->requests.high &&
        tx->lanes.low == tx->lanes.high)
        return VMR_FLUSH_QUIET;
    /*
     * Between what was published and the look at the attention bits.  Pairs
     * with the full barrier in vmr_bell_refill() (docs/ABI.md, D1).
     */
    vmr_fence_full();
    if (!set_attention(&tx->requests, tx->attn_request, &set) ||
        !set_attention(&tx->lanes, tx->attn_lane, &set))
        return VMR_FLUSH_FAULT;
    return set ? vmr_bell_wake(tx) : VMR_FLUSH_QUIET;
}

enum vmr_flush vmr_bell_flush_lane(struct vmr_bell_tx *tx, uint32_t bit)
{
    xen_vm_ring_u64 *word = &tx->attn_lane[bit / 64];
    uint64_t mask = 1ULL << bit % 64;

    /* As in vmr_bell_flush() (D1). */
    vmr_fence_full();
    if (vmr_load_relaxed(word) & mask)
        return VMR_FLUSH_QUIET;
    if (!vmr_or(word, mask))
        return VMR_FLUSH_FAULT;
    return vmr_bell_wake(tx);
}

/* What is set in a shared word and not known yet. */
static uint64_t news(const xen_vm_ring_u64 *words, const uint64_t *known,
                     uint32_t i)
{
    return vmr_load_relaxed(&words[i]) & ~known[i];
}

/*
 * The first word from `i` that has news, of `nr`; nr: none has.  Eight are
 * looked at by one branch: a consumer of thousands of vCPUs polls them all.
 */
static uint32_t next_news(const xen_vm_ring_u64 *words, const uint64_t *known,
                          uint32_t i, uint32_t nr)
{
    for (; i + 8 <= nr; i += 8)
        if (news(words, known, i) | news(words, known, i + 1) |
            news(words, known, i + 2) | news(words, known, i + 3) |
            news(words, known, i + 4) | news(words, known, i + 5) |
            news(words, known, i + 6) | news(words, known, i + 7))
            break;
    for (; i < nr; i++)
        if (news(words, known, i))
            break;
    return i;
}

/*
 * Moves what is set in the shared words into `to`, of which `nr` mean one.  A
 * word that tells nothing new is left as it is: its bits stand for another
 * look later, and the peer need not set them meanwhile.
 */
static bool take_bits(struct vmr_bits *to, xen_vm_ring_u64 *shared, uint32_t nr)
{
    uint32_t nr_words = (nr + 63) / 64;

    for (uint32_t i = next_news(shared, to->words, 0, nr_words); i < nr_words;
         i = next_news(shared, to->words, i + 1, nr_words)) {
        uint64_t bits;

        if (!vmr_exchange(&shared[i], 0, &bits))
            return false;
        if (i == nr / 64)
            bits &= (1ULL << nr % 64) - 1;
        if (!bits)
            continue;
        to->words[i] |= bits;
        widen(to, i, i + 1);
    }
    return true;
}

bool vmr_bell_fetch_answers(struct vmr_bell_tx *tx)
{
    if (!take_bits(&tx->verdicts, tx->answered, tx->nr_vcpus))
        return false;
    /* Pairs with the full barrier in vmr_bell_flush_answers() (D1). */
    vmr_fence_full();
    return true;
}

void vmr_bell_arm_answers(struct vmr_bell_tx *tx)
{
    vmr_store_relaxed(&tx->answers->armed, ++tx->arming);
    /* Pairs with the full barrier in vmr_bell_flush_answers() (D2). */
    vmr_fence_full();
}

void vmr_bell_disarm_answers(struct vmr_bell_tx *tx)
{
    vmr_store_relaxed(&tx->answers->armed, 0);
}

void vmr_bell_rx_init(struct vmr_bell_rx *rx, const struct vmr_geometry *geo,
                      uint32_t group, const void *p, void *c, uint64_t *words)
{
    struct group_block block = c_block(geo, group, c);
    uint32_t nr_words = vmr_bitmap_words(geo, geo->nr_lanes);

    rx->answers = (const void *)((const unsigned char *)p + geo->p_group_off +
                                 (uint64_t)group * XEN_VM_RING_LINE);
    rx->line = block.line;
    rx->attn_request = block.attn_request;
    rx->attn_lane = block.attn_lane;
    rx->answered = block.answered;
    vmr_bits_init(&rx->requests, words, nr_words);
    vmr_bits_init(&rx->lanes, words + nr_words, nr_words);
    vmr_bits_init(&rx->given, words + 2 * (size_t)nr_words, nr_words);
    rx->nr_vcpus = share(geo, group, geo->nr_vcpus);
    rx->nr_lanes = share(geo, group, geo->nr_lanes);
    rx->rung = 0;
    vmr_bits_set_all(&rx->requests, rx->nr_vcpus);
    vmr_bits_set_all(&rx->lanes, rx->nr_lanes);
}

bool vmr_bell_refill(struct vmr_bell_rx *rx)
{
    if (!take_bits(&rx->requests, rx->attn_request, rx->nr_vcpus) ||
        !take_bits(&rx->lanes, rx->attn_lane, rx->nr_lanes))
        return false;
    /*
     * Between clearing the bits and draining: what is published later finds
     * them clear and sets them again.  Pairs with the full barrier at the
     * start of vmr_bell_flush() (D1).
     */
    vmr_fence_full();
    return true;
}

static bool any_set(const xen_vm_ring_u64 *words, uint32_t nr)
{
    for (uint32_t i = 0; i < (nr + 63) / 64; i++)
        if (vmr_load_relaxed(&words[i]))
            return true;
    return false;
}

bool vmr_bell_arm(struct vmr_bell_rx *rx)
{
    vmr_store_relaxed(&rx->line->armed, 1);
    /* Pairs with the full barrier in vmr_bell_wake() (D2). */
    vmr_fence_full();
    if (!any_set(rx->attn_request, rx->nr_vcpus) &&
        !any_set(rx->attn_lane, rx->nr_lanes))
        return true;
    vmr_bell_disarm(rx);
    return false;
}

void vmr_bell_disarm(struct vmr_bell_rx *rx)
{
    vmr_store_relaxed(&rx->line->armed, 0);
}

bool vmr_bell_flush_answers(struct vmr_bell_rx *rx)
{
    bool set = false;
    uint64_t armed;

    if (rx->given.low == rx->given.high)
        return false;
    /* Pairs with the full barrier in vmr_bell_fetch_answers() (D1). */
    vmr_fence_full();
    /* Our own region: a peer that keeps us from it harms itself alone. */
    (void)set_attention(&rx->given, rx->answered, &set);
    rx->given.low = rx->given.high = 0;
    if (!set)
        return false;
    /* Pairs with the full barrier in vmr_bell_arm_answers() (D2). */
    vmr_fence_full();
    armed = vmr_load_relaxed(&rx->answers->armed);
    if (!armed || armed == rx->rung)
        return false;
    rx->rung = armed;
    return true;
}
