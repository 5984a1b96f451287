/* SPDX-License-Identifier: MIT */
/* The words of both regions, as relacy has them: see shadow.h. */
#include "relacy_only.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "shadow.h"

#define WORDS(bytes)  ((bytes) / sizeof(uint64_t))
#define P_MAX         16384
#define C_MAX         4096
#define MAX_WATCHED   512
#define MAX_ELSEWHERE 8 /* watched words outside the regions: a lock */

typedef rl::atomic<uint64_t> atomic_word;
typedef rl::var<uint64_t> exclusive_word;

struct watched {
    enum kind kind;
    uint32_t word; /* its index in `cell_of` */
    union {
        alignas(16) unsigned char as_atomic[sizeof(atomic_word)];
        alignas(16) unsigned char as_exclusive[sizeof(exclusive_word)];
    };
};

struct loosening loosening;

alignas(4096) static unsigned char regions[EPOCHS][P_MAX + C_MAX];
static const void *elsewhere[MAX_ELSEWHERE];
static uint32_t nr_elsewhere;
/* By word of the regions, then of `elsewhere`: 1 + index of its cell, or 0. */
static uint16_t cell_of[WORDS(sizeof(regions)) + MAX_ELSEWHERE];
static watched cells[MAX_WATCHED];
static uint32_t nr_cells;

static atomic_word &atomic_of(watched &cell)
{
    return *reinterpret_cast<atomic_word *>(cell.as_atomic);
}

static exclusive_word &exclusive_of(watched &cell)
{
    return *reinterpret_cast<exclusive_word *>(cell.as_exclusive);
}

/* Its index in cell_of; a word outside the regions gets one when watched. */
static uint32_t word_of(const void *at)
{
    size_t off = (size_t)((const unsigned char *)at - &regions[0][0]);

    if (off < sizeof(regions))
        return (uint32_t)WORDS(off);
    for (uint32_t i = 0; i < nr_elsewhere; i++)
        if (elsewhere[i] == at)
            return (uint32_t)WORDS(sizeof(regions)) + i;
    return UINT32_MAX;
}

static watched *find(const void *at)
{
    uint32_t word = word_of(at);

    return word != UINT32_MAX && cell_of[word] ? &cells[cell_of[word] - 1]
                                               : NULL;
}

/* A single access must be to a watched word: none is forgotten. */
static watched &must_find(const void *at, const site &where)
{
    watched *cell = find(at);

    if (!cell) {
        fprintf(stderr, "%s:%d: %s touches a word that is not watched\n",
                where.file, where.line, where.function);
        abort();
    }
    return *cell;
}

void watch(const void *at, enum kind kind, uint64_t mask)
{
    for (uint32_t i = 0; i < 64; i++) {
        const void *word_at = (const unsigned char *)at + 8 * i;
        watched &cell = cells[nr_cells];

        if (!(mask >> i & 1))
            continue;
        if (nr_cells == MAX_WATCHED)
            abort();
        if (word_of(word_at) == UINT32_MAX)
            elsewhere[nr_elsewhere++] = word_at;
        cell.kind = kind;
        cell.word = word_of(word_at);
        if (cell_of[cell.word])
            abort(); /* watched already */
        cell_of[cell.word] = (uint16_t)++nr_cells;
        if (kind == ATOMIC)
            new (cell.as_atomic) atomic_word(0);
        else
            new (cell.as_exclusive) exclusive_word(0);
    }
}

void shadow_begin(void)
{
    /* What an iteration that failed has left is not ours to destroy. */
    for (uint32_t i = 0; i < nr_cells; i++)
        cell_of[cells[i].word] = 0;
    nr_cells = nr_elsewhere = 0;
}

void shadow_end(void)
{
    for (uint32_t i = 0; i < nr_cells; i++) {
        if (cells[i].kind == ATOMIC)
            atomic_of(cells[i]).~atomic_word();
        else
            exclusive_of(cells[i]).~exclusive_word();
    }
}

/* Is this the call that is loosened, and in this way? */
static bool loosened(const char *how, const site &where)
{
    const char *name;

    if (!loosening.how || where.line != loosening.line)
        return false;
    name = strrchr(where.file, '/');
    if (strcmp(name ? name + 1 : where.file, loosening.file) ||
        strcmp(how, loosening.how))
        return false;
    loosening.reached++;
    return true;
}

static rl::debug_info info(const site &where)
{
    return rl::debug_info(where.function, where.file, (unsigned)where.line);
}

uint64_t shadow_load(const void *at, order order, const site &where)
{
    watched &cell = must_find(at, where);

    if (cell.kind == EXCLUSIVE)
        return exclusive_of(cell)(info(where)).load();
    if (loosened("weaker", where))
        order = RELAXED;
    return atomic_of(cell).load(
        order == ACQUIRE ? rl::mo_acquire : rl::mo_relaxed, info(where));
}

void shadow_store(void *at, uint64_t v, order order, const site &where)
{
    watched &cell = must_find(at, where);

    if (loosened("drop", where))
        return;
    if (cell.kind == EXCLUSIVE) {
        exclusive_of(cell)(info(where)).store(v);
        return;
    }
    if (loosened("weaker", where))
        order = RELAXED;
    atomic_of(cell).store(v, order == RELEASE ? rl::mo_release : rl::mo_relaxed,
                          info(where));
}

uint64_t shadow_exchange(void *at, uint64_t v, order order, const site &where)
{
    atomic_word &word = atomic_of(must_find(at, where));
    rl::memory_order mo = order == ACQUIRE ? rl::mo_acquire : rl::mo_relaxed;
    uint64_t old;

    if (loosened("drop", where))
        return word.load(mo, info(where));
    if (loosened("split", where)) {
        old = word.load(mo, info(where));
        word.store(v, rl::mo_relaxed, info(where));
        return old;
    }
    return word.exchange(v, loosened("weaker", where) ? rl::mo_relaxed : mo,
                         info(where));
}

void shadow_or(void *at, uint64_t bits, const site &where)
{
    atomic_word &word = atomic_of(must_find(at, where));

    if (loosened("drop", where))
        return;
    if (loosened("split", where))
        word.store(word.load(rl::mo_relaxed, info(where)) | bits,
                   rl::mo_relaxed, info(where));
    else
        word.rmw(rl::rmw_type_t<rl::rmw_type_or>(), bits, rl::mo_relaxed,
                 info(where));
}

uint64_t shadow_add(void *at, uint64_t v, const site &where)
{
    atomic_word &word = atomic_of(must_find(at, where));
    uint64_t old;

    if (!loosened("split", where))
        return word.fetch_add(v, rl::mo_relaxed, info(where));
    old = word.load(rl::mo_relaxed, info(where));
    word.store(old + v, rl::mo_relaxed, info(where));
    return old;
}

void shadow_fence(order order, const site &where)
{
    rl::memory_order mo = order == ACQUIRE   ? rl::mo_acquire
                          : order == RELEASE ? rl::mo_release
                                             : rl::mo_seq_cst;

    if (loosened("weaker", where))
        return;
    if (loosened("acq_rel", where))
        mo = rl::mo_acq_rel;
    rl::atomic_thread_fence(mo, info(where));
}

void shadow_copy_from(void *to, const void *from, size_t len, const site &where)
{
    for (size_t i = 0; i < WORDS(len); i++) {
        const uint64_t *at = (const uint64_t *)from + i;
        uint64_t word = find(at) ? shadow_load(at, RELAXED, where) : 0;

        memcpy((uint64_t *)to + i, &word, sizeof(word));
    }
}

void shadow_copy_to(void *to, const void *from, size_t len, const site &where)
{
    for (size_t i = 0; i < WORDS(len); i++) {
        uint64_t word;

        if (!find((uint64_t *)to + i))
            continue;
        memcpy(&word, (const uint64_t *)from + i, sizeof(word));
        shadow_store((uint64_t *)to + i, word, RELAXED, where);
    }
}

struct ring ring_make(uint32_t epoch, uint32_t nr_vcpus, uint32_t nr_lanes,
                      uint32_t policy, uint32_t slots)
{
    struct ring ring = {};

    ring.geo.features = XEN_VM_RING_FEATURES;
    ring.geo.epoch = epoch + 1;
    ring.geo.nr_vcpus = nr_vcpus;
    ring.geo.nr_lanes = nr_lanes;
    ring.geo.nr_groups = 1;
    ring.geo.loss_policy = policy;
    ring.geo.verdicts = XEN_VM_RING_VERDICTS;
    ring.geo.arch = XEN_VM_RING_ARCH_X86;
    ring.geo.clock = XEN_VM_RING_CLOCK_MONOTONIC;
    ring.geo.record_len = 64;
    ring.p = regions[epoch];
    ring.c = regions[epoch] + P_MAX;
    if (!vmr_geometry_lay_out(&ring.geo, (uint64_t)slots * nr_lanes * 64) ||
        ring.geo.p_len > P_MAX || ring.geo.c_len > C_MAX)
        abort();
    return ring;
}

struct xen_vm_ring_header *ring::header() const
{
    return (struct xen_vm_ring_header *)p;
}

struct xen_vm_ring_lane *ring::lane(uint32_t i) const
{
    return (struct xen_vm_ring_lane *)(p + geo.lane_off) + i;
}

struct xen_vm_ring_event *ring::record(uint32_t lane, uint64_t slot) const
{
    return (struct xen_vm_ring_event *)(p + geo.record_off +
                                        (lane * geo.nr_records + slot) *
                                            geo.record_len);
}

struct xen_vm_ring_cursor *ring::cursor(uint32_t i) const
{
    return (struct xen_vm_ring_cursor *)(c + geo.cursor_off) + i;
}

struct xen_vm_ring_event *ring::request(uint32_t vcpu) const
{
    return (struct xen_vm_ring_event *)(p + geo.request_off +
                                        vcpu * geo.slot_len);
}

struct xen_vm_ring_response *ring::response(uint32_t vcpu) const
{
    return (struct xen_vm_ring_response *)(c + geo.response_off +
                                           vcpu * geo.slot_len);
}

void watch_lane(const struct ring &ring, uint32_t lane, enum kind kind,
                uint64_t mask)
{
    watch(ring.lane(lane), ATOMIC, 0xf | 1 << 16);
    watch(ring.cursor(lane), ATOMIC);
    for (uint64_t i = 0; i < ring.geo.nr_records; i++)
        watch(ring.record(lane, i), kind, mask);
}

void watch_slot(const struct ring &ring, uint32_t vcpu, uint64_t request_mask,
                uint64_t response_mask)
{
    watch(ring.request(vcpu), ATOMIC, 1 | request_mask);
    watch(ring.response(vcpu), ATOMIC);
    /* One request is answered at a time, and read when it has been. */
    watch(ring.response(vcpu), EXCLUSIVE, response_mask & ~UINT64_C(1));
}

void watch_bells(const struct ring &ring)
{
    unsigned char *group = ring.c + ring.geo.c_group_off;

    watch(ring.p + ring.geo.p_group_off, ATOMIC);
    watch(group, ATOMIC);
    watch(group + ring.geo.attn_request_off, ATOMIC);
    watch(group + ring.geo.attn_lane_off, ATOMIC);
    watch(group + ring.geo.answered_off, ATOMIC);
}

void watch_foreign(struct vmr_foreign &foreign)
{
    watch(&foreign.lock, ATOMIC);
    watch(&foreign.open, ATOMIC);
    watch(&foreign.contended, ATOMIC);
    watch(&foreign.pushed, ATOMIC);
}
