/* SPDX-License-Identifier: MIT */
/*
 * sync_handoff.c: what the machine allows: the same words copied into memory
 * that both sides have, and a flag.
 */
#include <string.h>

#include "sync.h"
#include "worker.h"

#include "core/atomic.h"

#define LINE 128

/* One way: the flag is the slot's seq, beside the words or on its own line. */
struct way {
    xen_vm_ring_u64 flag;
    uint64_t beside[SYNC_WORDS];
    uint64_t apart[SYNC_WORDS] __attribute__((__aligned__(LINE)));
} __attribute__((__aligned__(LINE)));

struct slot {
    struct way there, back;
};

/* What says that there is something, as a consumer of many slots needs it. */
struct bit {
    uint64_t set;
} __attribute__((__aligned__(LINE)));

struct handoff {
    struct slot *slots;
    const struct sync_contest *contest;
    void *wake;
    bool apart, has_bits;
    struct bit bits[2]; /* of each side */
};

static size_t len_of(const struct sync_contest *contest)
{
    return contest->slots * sizeof(struct slot);
}

static struct handoff *make(const struct sync_contest *contest, void *wake,
                            bool apart, bool has_bits)
{
    struct handoff *handoff = bench_map(sizeof(*handoff));

    if (!handoff)
        return NULL;
    handoff->slots = bench_map(len_of(contest));
    if (!handoff->slots) {
        bench_unmap(handoff, sizeof(*handoff));
        return NULL;
    }
    handoff->contest = contest;
    handoff->wake = wake;
    handoff->apart = apart;
    handoff->has_bits = has_bits;
    return handoff;
}

static void *make_beside(const struct sync_contest *contest, void *wake)
{
    return make(contest, wake, false, false);
}

static void *make_apart(const struct sync_contest *contest, void *wake)
{
    return make(contest, wake, true, false);
}

static void *make_bits(const struct sync_contest *contest, void *wake)
{
    return make(contest, wake, false, true);
}

static void end(void *state)
{
    struct handoff *handoff = state;

    bench_unmap(handoff->slots, len_of(handoff->contest));
    bench_unmap(handoff, sizeof(*handoff));
}

/* Pairs with the exchange in is_told(): one of both sees the other's. */
static void tell(struct bit *bit)
{
    vmr_fence_full();
    if (!__atomic_load_n(&bit->set, __ATOMIC_RELAXED))
        __atomic_fetch_or(&bit->set, 1, __ATOMIC_SEQ_CST);
}

/* The exchange pairs with the fence in tell(). */
static bool is_told(struct bit *bit)
{
    if (!__atomic_load_n(&bit->set, __ATOMIC_RELAXED))
        return false;
    __atomic_exchange_n(&bit->set, 0, __ATOMIC_SEQ_CST);
    return true;
}

static void hand_over(struct handoff *handoff, struct way *way, int to,
                      const uint64_t *words, uint64_t number)
{
    vmr_copy_to_shared(handoff->apart ? way->apart : way->beside, words,
                       SYNC_WORDS * 8);
    /* Pairs with the acquire load in is_there(). */
    vmr_store_release(&way->flag, number);
    if (handoff->has_bits)
        tell(&handoff->bits[to]);
    if (handoff->wake)
        handoff->contest->wake->wake(handoff->wake, to);
}

static bool is_there(struct handoff *handoff, struct way *way, int side,
                     uint64_t *words, uint64_t number)
{
    if (handoff->has_bits && !is_told(&handoff->bits[side]))
        return false;
    /* Pairs with the release store in hand_over(). */
    if (vmr_load_acquire(&way->flag) != number)
        return false;
    vmr_copy_from_shared(words, handoff->apart ? way->apart : way->beside,
                         SYNC_WORDS * 8);
    return true;
}

static void rest(struct handoff *handoff, int side)
{
    if (handoff->wake)
        handoff->contest->wake->sleep(handoff->wake, side);
    else
        bench_relax();
}

static bool call(void *state, uint32_t at, uint64_t number)
{
    struct handoff *handoff = state;
    struct slot *slot = &handoff->slots[at];
    uint64_t request[SYNC_WORDS], answer[SYNC_WORDS];

    memset(request, 0, sizeof(request));
    request[SYNC_NUMBER] = number;
    hand_over(handoff, &slot->there, SYNC_SERVER, request, number);
    while (!is_there(handoff, &slot->back, SYNC_CALLER, answer, number))
        rest(handoff, SYNC_CALLER);
    return answer[SYNC_NUMBER] == number;
}

/* It knows who is next, so that it need not look for it. */
static void serve(void *state, const uint32_t *done)
{
    struct handoff *handoff = state;
    const struct sync_contest *contest = handoff->contest;
    uint32_t first = contest->slots - contest->active, at = first;
    uint64_t request[SYNC_WORDS], answer[SYNC_WORDS], number = 1;

    memset(answer, 0, sizeof(answer));
    while (!__atomic_load_n(done, __ATOMIC_ACQUIRE)) {
        struct slot *slot = &handoff->slots[at];

        if (!is_there(handoff, &slot->there, SYNC_SERVER, request, number)) {
            rest(handoff, SYNC_SERVER);
            continue;
        }
        answer[SYNC_NUMBER] = request[SYNC_NUMBER];
        hand_over(handoff, &slot->back, SYNC_CALLER, answer, number++);
        at = at + 1 == contest->slots ? first : at + 1;
    }
}

const struct sync_ops sync_handoff = {make_beside, end, call, serve};
const struct sync_ops sync_handoff_apart = {make_apart, end, call, serve};
const struct sync_ops sync_handoff_bits = {make_bits, end, call, serve};
