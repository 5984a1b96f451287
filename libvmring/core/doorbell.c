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

#define NOT_ALONE UINT64_MAX

/*
 * None of ours was at it when we began: a number; else NOT_ALONE.  Where it is
 * a single instruction, which cannot fail, nothing is counted.
 */
static uint64_t rmw_begin(struct vmr_rmws *ours)
{
    uint64_t ended, begun;

    if (!VMR_RMW_CAN_FAIL)
        return 0;
    /* In this order: a thread that is amid one has begun, and has not ended. */
    ended = vmr_load_acquire(&ours->ended);
    begun = vmr_add_relaxed(&ours->begun, 1);
    /*
     * Pairs with the one in rmw_end() of the thread in our way: we have begun
     * for all to see before we touch the word.
     */
    vmr_fence_full();
    return begun == ended ? begun : NOT_ALONE;
}

static enum vmr_rmw rmw_end(struct vmr_rmws *ours, uint64_t alone, bool done)
{
    bool peer = true;

    if (VMR_RMW_CAN_FAIL) {
        vmr_fence_full();
        peer =
            alone != NOT_ALONE && vmr_load_relaxed(&ours->begun) == alone + 1;
        (void)vmr_add_relaxed(&ours->ended, 1);
    }
    return done ? VMR_RMW_DONE : peer ? VMR_RMW_PEER : VMR_RMW_OURS;
}

static enum vmr_rmw or_bits(struct vmr_rmws *ours, xen_vm_ring_u64 *p,
                            uint64_t bits)
{
    uint64_t alone = rmw_begin(ours);

    return rmw_end(ours, alone, vmr_or(p, bits));
}

static enum vmr_rmw exchange(struct vmr_rmws *ours, xen_vm_ring_u64 *p,
                             uint64_t *old)
{
    uint64_t alone = rmw_begin(ours);

    return rmw_end(ours, alone, vmr_exchange(p, 0, old));
}

/* Of two, what matters more. */
static enum vmr_rmw worse(enum vmr_rmw a, enum vmr_rmw b)
{
    return a > b ? a : b;
}

/* How many of `nr` are dealt to the group. */
static uint32_t dealt_to(const struct vmr_geometry *geo, uint32_t group,
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
    vmr_bits_init(&tx->fetched, words + 2 * (size_t)nr_words, nr_words);
    tx->nr_vcpus = dealt_to(geo, group, geo->nr_vcpus);
    tx->arming = 0;
    tx->owing = tx->broken = false;
    tx->own = (struct vmr_rmws){0, 0};
    tx->ours = &tx->own;
}

/*
 * Sets the bits that are marked in `from` and not yet set in the consumer's
 * words.  Those that it is kept from stay marked.  *set tells whether any was
 * new.
 */
static enum vmr_rmw set_attention(struct vmr_rmws *ours, struct vmr_bits *from,
                                  xen_vm_ring_u64 *attention, bool *set)
{
    enum vmr_rmw worst = VMR_RMW_DONE;

    for (uint32_t i = from->low; i < from->high; i++) {
        /* A bit that is set already: its consumer has yet to look. */
        uint64_t fresh = from->words[i] & ~vmr_load_relaxed(&attention[i]);

        if (fresh) {
            enum vmr_rmw rmw = or_bits(ours, &attention[i], fresh);

            worst = worse(worst, rmw);
            if (rmw != VMR_RMW_DONE)
                continue;
            *set = true;
        }
        from->words[i] = 0;
    }
    if (worst == VMR_RMW_DONE)
        from->low = from->high = 0;
    return worst;
}

static enum vmr_flush wake(const struct vmr_bell_tx *tx)
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
    switch (exchange(tx->ours, &tx->line->armed, &armed)) {
    case VMR_RMW_DONE:
        return armed ? VMR_FLUSH_RING : VMR_FLUSH_QUIET;
    case VMR_RMW_OURS:
        return VMR_FLUSH_AGAIN;
    default:
        return VMR_FLUSH_BROKEN;
    }
}

enum vmr_flush vmr_bell_wake(struct vmr_bell_tx *tx)
{
    enum vmr_flush flush = wake(tx);

    tx->owing = flush == VMR_FLUSH_AGAIN;
    return flush;
}

enum vmr_flush vmr_bell_flush(struct vmr_bell_tx *tx)
{
    enum vmr_flush flush = VMR_FLUSH_QUIET;
    enum vmr_rmw worst;
    bool set = tx->owing;

    if (!vmr_bell_is_owing(tx))
        return VMR_FLUSH_QUIET;
    /*
     * Between what was published and the look at the attention bits.  Pairs
     * with the full barrier in vmr_bell_refill() (docs/ABI.md, D1).
     */
    vmr_fence_full();
    worst = set_attention(tx->ours, &tx->requests, tx->attn_request, &set);
    worst =
        worse(worst, set_attention(tx->ours, &tx->lanes, tx->attn_lane, &set));
    if (worst == VMR_RMW_PEER)
        return VMR_FLUSH_BROKEN;
    if (set)
        flush = vmr_bell_wake(tx);
    return flush == VMR_FLUSH_QUIET && worst == VMR_RMW_OURS ? VMR_FLUSH_AGAIN
                                                             : flush;
}

/* One bit, and whoever sleeps; `words` are the attention bits that it is of. */
static enum vmr_flush flush_bit(struct vmr_bell_tx *tx, xen_vm_ring_u64 *words,
                                uint32_t bit, bool *owing)
{
    xen_vm_ring_u64 *word = &words[bit / 64];
    uint64_t mask = 1ULL << bit % 64;
    enum vmr_flush flush;

    /* As in vmr_bell_flush() (D1). */
    vmr_fence_full();
    if (!(vmr_load_relaxed(word) & mask)) {
        switch (or_bits(tx->ours, word, mask)) {
        case VMR_RMW_DONE:
            break;
        case VMR_RMW_OURS:
            return VMR_FLUSH_AGAIN;
        default:
            return VMR_FLUSH_BROKEN;
        }
    } else if (!*owing) {
        return VMR_FLUSH_QUIET;
    }
    flush = wake(tx);
    *owing = flush == VMR_FLUSH_AGAIN;
    return flush;
}

enum vmr_flush vmr_bell_flush_lane(struct vmr_bell_tx *tx, uint32_t bit,
                                   bool *owing)
{
    return flush_bit(tx, tx->attn_lane, bit, owing);
}

enum vmr_flush vmr_bell_flush_request(struct vmr_bell_tx *tx, uint32_t bit,
                                      bool *owing)
{
    return flush_bit(tx, tx->attn_request, bit, owing);
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
 * look later, and the peer need not set them meanwhile.  So is one that others
 * of ours keep us from.
 */
static enum vmr_rmw take_bits(struct vmr_rmws *ours, struct vmr_bits *to,
                              xen_vm_ring_u64 *shared, uint32_t nr)
{
    uint32_t nr_words = (nr + 63) / 64;
    enum vmr_rmw worst = VMR_RMW_DONE;

    for (uint32_t i = next_news(shared, to->words, 0, nr_words); i < nr_words;
         i = next_news(shared, to->words, i + 1, nr_words)) {
        uint64_t bits;
        enum vmr_rmw rmw = exchange(ours, &shared[i], &bits);

        worst = worse(worst, rmw);
        if (rmw != VMR_RMW_DONE)
            continue;
        if (i == nr / 64)
            bits &= (1ULL << nr % 64) - 1;
        if (!bits)
            continue;
        to->words[i] |= bits;
        widen(to, i, i + 1);
    }
    return worst;
}

enum vmr_rmw vmr_bell_fetch_answers(struct vmr_bell_tx *tx)
{
    enum vmr_rmw rmw =
        take_bits(tx->ours, &tx->fetched, tx->answered, tx->nr_vcpus);

    /* Pairs with the full barrier in vmr_bell_flush_answers() (D1). */
    vmr_fence_full();
    return rmw;
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
    rx->nr_vcpus = dealt_to(geo, group, geo->nr_vcpus);
    rx->nr_lanes = dealt_to(geo, group, geo->nr_lanes);
    rx->rung = 0;
    rx->own = (struct vmr_rmws){0, 0};
    rx->ours = &rx->own;
    vmr_bits_set_all(&rx->requests, rx->nr_vcpus);
    vmr_bits_set_all(&rx->lanes, rx->nr_lanes);
}

bool vmr_bell_refill(struct vmr_bell_rx *rx)
{
    if (take_bits(rx->ours, &rx->requests, rx->attn_request, rx->nr_vcpus) ==
            VMR_RMW_PEER ||
        take_bits(rx->ours, &rx->lanes, rx->attn_lane, rx->nr_lanes) ==
            VMR_RMW_PEER)
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

enum vmr_flush vmr_bell_flush_answers(struct vmr_bell_rx *rx)
{
    bool set = false;
    enum vmr_rmw rmw;
    uint64_t armed;

    if (rx->given.low == rx->given.high)
        return VMR_FLUSH_QUIET;
    /* Pairs with the full barrier in vmr_bell_fetch_answers() (D1). */
    vmr_fence_full();
    rmw = set_attention(rx->ours, &rx->given, rx->answered, &set);
    if (set) {
        /* Pairs with the full barrier in vmr_bell_arm_answers() (D2). */
        vmr_fence_full();
        armed = vmr_load_relaxed(&rx->answers->armed);
        if (armed && armed != rx->rung) {
            rx->rung = armed;
            return VMR_FLUSH_RING;
        }
    }
    /* What is left is told by the next flush, which rings by itself. */
    return rmw == VMR_RMW_DONE   ? VMR_FLUSH_QUIET
           : rmw == VMR_RMW_OURS ? VMR_FLUSH_AGAIN
                                 : VMR_FLUSH_BROKEN;
}
