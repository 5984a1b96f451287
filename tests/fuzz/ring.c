/* SPDX-License-Identifier: MIT */
#include "ring.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct {
    uint16_t nr_vcpus, nr_groups, record_len, slots;
    bool foreign, overwrite;
} presets[] = {
    {1, 1, 64, 2, true, false},   {2, 1, 64, 4, true, false},
    {2, 2, 64, 4, true, true},    {3, 2, 448, 2, false, false},
    {3, 3, 448, 4, true, true},   {4, 2, 512, 8, true, true},
    {1, 1, 64, 256, false, true}, {1, 1, 128, 64, false, false},
    {130, 2, 64, 2, true, false}, {520, 1, 64, 2, false, true},
    {65, 64, 64, 2, true, false}, {64, 1, 64, 2, true, false},
};

#define NR_PRESETS (sizeof(presets) / sizeof(presets[0]))
#define LARGEST    9

#define PAGE ((size_t)XEN_VM_RING_PAGE)

/*
 * Regions are made once for each shape.  All of them are in one run of
 * addresses, so that an input's pages are found and wiped for the next one.
 */
static struct shape {
    struct vmr_geometry geo;
    struct area areas[MAX_EPOCHS];
    void *tx_memory;
    unsigned char *base;
    size_t nr_pages;
    unsigned char *dirty; /* by page: was it stored into? */
    unsigned int inputs;
} shapes[NR_PRESETS];

/* Addresses that nobody may touch yet. */
static unsigned char *reserve(size_t len)
{
    unsigned char *at =
        mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ALWAYS(at != MAP_FAILED);
    return at;
}

static void map(unsigned char *at, int fd, size_t len, int rights)
{
    ALWAYS(mmap(at, len, rights, MAP_SHARED | MAP_FIXED, fd, 0) == at);
}

/* P, a page without access, and C from `at`; P to be read elsewhere. */
static struct area make_area(const struct vmr_geometry *geo, unsigned char *at)
{
    int fd = memfd_create("p", MFD_CLOEXEC);
    unsigned char *reads = reserve(geo->p_len + 2 * PAGE) + PAGE;
    struct area area = {at, reads, at + geo->p_len + PAGE};

    ALWAYS(fd >= 0 && ftruncate(fd, (off_t)geo->p_len) == 0);
    map(area.p, fd, geo->p_len, PROT_READ | PROT_WRITE);
    map(reads, fd, geo->p_len, PROT_READ);
    ALWAYS(mprotect(area.c, geo->c_len, PROT_READ | PROT_WRITE) == 0);
    close(fd);
    return area;
}

static void make_areas(struct shape *shape, const struct vmr_geometry *geo)
{
    size_t each = geo->p_len + geo->c_len + 2 * PAGE;

    shape->nr_pages = 1 + MAX_EPOCHS * each / PAGE;
    shape->base = reserve(shape->nr_pages * PAGE);
    shape->dirty = calloc(shape->nr_pages, 1);
    ALWAYS(shape->dirty);
    for (unsigned int e = 0; e < MAX_EPOCHS; e++)
        shape->areas[e] = make_area(geo, shape->base + PAGE + e * each);
}

static void make_shape(struct shape *shape, unsigned int i)
{
    struct vmr_geometry geo = {
        .nr_vcpus = presets[i].nr_vcpus,
        .nr_lanes = presets[i].nr_vcpus + (presets[i].foreign ? 1 : 0),
        .features = XEN_VM_RING_FEATURE_REGISTERS |
                    (presets[i].foreign ? XEN_VM_RING_FEATURE_FOREIGN : 0),
        .nr_groups = presets[i].nr_groups,
        .loss_policy = presets[i].overwrite ? XEN_VM_RING_POLICY_OVERWRITE
                                            : XEN_VM_RING_POLICY_DISCARD,
        .arch = XEN_VM_RING_ARCH_X86,
        .clock = XEN_VM_RING_CLOCK_MONOTONIC,
        .record_len = presets[i].record_len,
    };

    ALWAYS(vmr_geometry_lay_out(&geo, (uint64_t)geo.nr_lanes *
                                          presets[i].slots * geo.record_len));
    shape->tx_memory = malloc(vmr_producer_size(geo.nr_vcpus, geo.nr_lanes));
    ALWAYS(shape->tx_memory);
    make_areas(shape, &geo);
    shape->geo = geo;
}

static bool is_zero(const unsigned char *at, size_t len)
{
    return !at[0] && memcmp(at, at + 1, len - 1) == 0;
}

/*
 * Wipes what was stored into.  Only stores by way of atomic.h, and the
 * peer's, are known of; now and then it is seen that there are no others.
 */
static void wipe(struct shape *shape)
{
    for (size_t i = 0; i < shape->nr_pages; i++) {
        if (!shape->dirty[i])
            continue;
        memset(shape->base + i * PAGE, 0, PAGE);
        shape->dirty[i] = 0;
    }
    if (++shape->inputs % 64)
        return;
    for (unsigned int e = 0; e < MAX_EPOCHS; e++) {
        ALWAYS(is_zero(shape->areas[e].p, shape->geo.p_len));
        ALWAYS(is_zero(shape->areas[e].c, shape->geo.c_len));
    }
}

void ring_use_members(struct ring *ring, uint32_t nr)
{
    ALWAYS(nr <= MAX_MEMBERS);
    if (ring->nr_members < nr)
        ring->nr_members = nr;
}

/* The largest takes ten times as long as the others: two bytes name it. */
static unsigned int choose_shape(uint8_t preset)
{
    unsigned int i = preset % NR_PRESETS;

    return i == LARGEST && preset / NR_PRESETS > 1 ? 0 : i;
}

struct ring *ring_make(uint8_t preset, enum side tested)
{
    static struct ring ring;
    unsigned int i = choose_shape(preset);

    if (!shapes[i].tx_memory)
        make_shape(&shapes[i], i);
    wipe(&shapes[i]);
    watch_stores(shapes[i].base, shapes[i].dirty, shapes[i].nr_pages);
    free(ring.rx_memory);
    memset(&ring, 0,
           offsetof(struct ring, members) +
               ring.nr_members * sizeof(ring.members[0]));
    ring_use_members(&ring, shapes[i].geo.nr_lanes);
    ring.tested = tested;
    ring.honest = true;
    ring.geo = shapes[i].geo;
    /* Which verdicts are granted is the input's to say, too. */
    ring.geo.verdicts = preset / NR_PRESETS * 13 & XEN_VM_RING_VERDICTS;
    memcpy(ring.areas, shapes[i].areas, sizeof(ring.areas));
    ring.now = ring.next_cookie = 1;
    vmr_producer_init(&ring.tx, shapes[i].tx_memory, ring.geo.nr_vcpus,
                      ring.geo.nr_lanes);
    return &ring;
}

struct area *ring_area(struct ring *ring)
{
    return &ring->areas[ring->epoch];
}

uint32_t ring_words(const struct vmr_geometry *geo)
{
    return vmr_bitmap_words(geo, geo->nr_lanes);
}

uint64_t ring_bitmap_steps(const struct vmr_geometry *geo)
{
    uint64_t words = ring_words(geo);

    return words < 8 ? 2 * words : 17 * words;
}

static bool lies_in(const void *at, size_t len, const unsigned char *region,
                    uint64_t region_len)
{
    uintptr_t from = (uintptr_t)at - (uintptr_t)region;

    return (uintptr_t)at >= (uintptr_t)region && from <= region_len &&
           len <= region_len - from;
}

/* Reads of P, anything in C; a frozen P while it is drained. */
static bool consumer_may(struct ring *ring, const void *at, size_t len,
                         enum shim_kind kind)
{
    const struct area *area = ring_area(ring);

    if (ring->frozen)
        return kind == SHIM_LOAD &&
               lies_in(at, len, ring->frozen, ring->geo.p_len);
    return (kind == SHIM_LOAD &&
            lies_in(at, len, area->p_reads, ring->geo.p_len)) ||
           lies_in(at, len, area->c, ring->geo.c_len);
}

/* Of C: reads, and read-modify-writes of hint words. */
static bool producer_may_touch(struct ring *ring, uint64_t off,
                               enum shim_kind kind)
{
    const struct vmr_geometry *geo = &ring->geo;

    if (!ring->c_is_open)
        return false;
    if (off >= geo->c_group_off)
        return kind != SHIM_STORE;
    if (kind != SHIM_LOAD)
        return false;
    /* A lane whose cursor was a lie is never asked again. */
    return off < geo->cursor_off ||
           !ring->tx.lanes[(off - geo->cursor_off) / XEN_VM_RING_LINE].faulted;
}

/* Writes of P behind the header, never a read; no region of before. */
static bool producer_may(struct ring *ring, const void *at, size_t len,
                         enum shim_kind kind)
{
    const struct area *area = ring_area(ring);
    uint64_t off = (uintptr_t)at - (uintptr_t)area->p;

    if (lies_in(at, len, (const void *)&ring->tx.foreign,
                sizeof(ring->tx.foreign)))
        return true;
    if (lies_in(at, len, area->c, ring->geo.c_len))
        return producer_may_touch(ring, (uintptr_t)at - (uintptr_t)area->c,
                                  kind);
    return lies_in(at, len, area->p, ring->geo.p_len) && kind == SHIM_STORE &&
           off >= offsetof(struct xen_vm_ring_header, target_state);
}

static bool may(void *ctx, const void *at, size_t len, enum shim_kind kind)
{
    struct ring *ring = ctx;

    return ring->tested == PRODUCER ? producer_may(ring, at, len, kind)
                                    : consumer_may(ring, at, len, kind);
}

static void between(void *ctx, const void *at, enum shim_kind kind)
{
    const struct ring *ring = ctx;

    if (ring->nr_moves)
        peer_turn(ctx, at, kind);
}

static const struct watcher watcher = {may, between};

void ring_enter(struct ring *ring, enum side side, uint64_t limit)
{
    if (side == PRODUCER)
        ring->c_is_open = ring->tx.attached;
    if (side == ring->tested)
        watch_begin(&watcher, ring, limit);
}

void ring_leave(struct ring *ring, enum side side)
{
    if (side == ring->tested)
        watch_end();
}

bool ring_is_sound(const struct ring *ring, enum side side)
{
    return side == ring->tested || ring->honest;
}

static uint64_t word_of(uint64_t number, uint32_t i)
{
    return (number + 1) * 0x9e3779b97f4a7c15ULL + i;
}

struct xen_vm_ring_event ring_event(uint32_t reason, uint32_t vcpu,
                                    uint64_t number, bool full)
{
    struct xen_vm_ring_event event = {
        .time = number,
        .reason = (uint16_t)reason,
        .vcpu = (uint16_t)vcpu,
        .length = full ? XEN_VM_RING_EVENT_FULL : XEN_VM_RING_EVENT_HEAD,
    };

    for (uint32_t i = 0; i < 4; i++)
        event.u.words[i] = word_of(number, vcpu + i);
    for (uint32_t i = 0; full && i < XEN_VM_RING_REGS_LEN / 8; i++)
        event.regs.words[i] = word_of(number, vcpu + 4 + i);
    return event;
}

bool ring_is_whole(const struct xen_vm_ring_event *event, uint32_t vcpu)
{
    bool full = event->length == XEN_VM_RING_EVENT_FULL;

    for (uint32_t i = 0; i < 4; i++)
        if (event->u.words[i] != word_of(event->time, vcpu + i))
            return false;
    for (uint32_t i = 0; full && i < XEN_VM_RING_REGS_LEN / 8; i++)
        if (event->regs.words[i] != word_of(event->time, vcpu + 4 + i))
            return false;
    return true;
}

/* Has a group's consumer taken all that its producer has published? */
static bool is_drained(const struct ring *ring, uint32_t group)
{
    for (uint32_t v = group; v < ring->geo.nr_vcpus; v += ring->geo.nr_groups)
        if ((ring->tx.slots[v].seq & 1) &&
            ring->rx.slots[v].taken != ring->tx.slots[v].seq)
            return false;
    for (uint32_t i = group; i < ring->geo.nr_lanes; i += ring->geo.nr_groups)
        if (ring->tx.lanes[i].head != ring->rx.lanes[i].tail)
            return false;
    return true;
}

static bool is_empty(const struct vmr_bits *bits)
{
    return bits->low == bits->high;
}

/* Has a vCPU, or whoever has the foreign lane, pushed, and nobody flushed? */
static bool is_untold(const struct ring *ring, uint32_t group)
{
    if (ring->geo.nr_lanes > ring->geo.nr_vcpus &&
        ring->geo.nr_vcpus % ring->geo.nr_groups == group &&
        ring->tx.foreign.pushed != ring->tx.foreign.told)
        return true;
    for (uint32_t i = group; i < ring->geo.nr_lanes; i += ring->geo.nr_groups)
        if (ring->tx.lanes[i].own_untold)
            return true;
    return false;
}

static bool has_answer(const struct ring *ring, uint32_t vcpu)
{
    const struct vmr_slot_tx *slot = &ring->tx.slots[vcpu];

    return (slot->seq & 1) && slot->response &&
           slot->response->seq == slot->seq;
}

static bool has_answers(const struct ring *ring)
{
    for (uint32_t v = 0; v < ring->geo.nr_vcpus; v++)
        if (has_answer(ring, v))
            return true;
    return false;
}

/*
 * Who hears of the group's answers sleeps, and so does a vCPU that has one and
 * was not told of it as it was about to sleep.
 */
static void check_vcpus(const struct ring *ring, uint32_t group)
{
    if (!ring->deaf[group] || !is_empty(&ring->rx.groups[group].bell.given))
        return;
    for (uint32_t v = group; v < ring->geo.nr_vcpus; v += ring->geo.nr_groups)
        ALWAYS(!ring->members[v].sleeps || !has_answer(ring, v) ||
               ring->members[v].due_seq == ring->tx.slots[v].seq);
}

void ring_check_sleepers(struct ring *ring)
{
    bool told = true;

    if (!ring->honest || !ring->attached || !ring->tx.attached)
        return;
    for (uint32_t g = 0; g < ring->geo.nr_groups; g++) {
        const struct vmr_bell_tx *bell = &ring->tx.bells[g];

        if (ring->sleeps[g] && is_empty(&bell->requests) &&
            is_empty(&bell->lanes) && !is_untold(ring, g))
            ALWAYS(is_drained(ring, g));
        if (!is_empty(&ring->rx.groups[g].bell.given))
            told = false;
        check_vcpus(ring, g);
    }
    if (ring->tx_sleeps && told && !ring->tx.sweeping)
        ALWAYS(!has_answers(ring));
}
