/* SPDX-License-Identifier: MIT */
/*
 * steps.c: one operation in one situation, for callgrind to count its
 * instructions (steps.py).
 *
 * usage: steps, under valgrind --tool=callgrind --collect-atstart=no
 *
 * Each situation has a fresh ring, and leads the operation along a path that
 * the situation's name begins with.  Everything that a consumer can write
 * holds something else in each round; where it is the consumer's operation,
 * what the producer writes.
 */
#include <stdio.h>
#include <string.h>
#include <valgrind/callgrind.h>

#include "pair.h"

#include "core/atomic.h"

#define ROUNDS 16
#define SLOTS  64
#define DUE    1000

struct bench {
    struct pair *pair;
    struct xen_vm_ring_event event, got;
    struct vmr_request request;
    struct vmr_verdict verdict;
    uint32_t where;
    uint64_t seed;
};

struct situation {
    const char *path, *name;
    void (*prepare)(struct bench *bench);
    void (*operation)(struct bench *bench);
    uint32_t policy, record_len, length;
};

static uint64_t any(struct bench *bench)
{
    bench->seed ^= bench->seed << 13;
    bench->seed ^= bench->seed >> 7;
    bench->seed ^= bench->seed << 17;
    return bench->seed;
}

/* --- what a consumer may have done -------------------------------------- */

static xen_vm_ring_u64 *c_word(struct bench *bench, uint64_t off)
{
    return (void *)(bench->pair->c + off);
}

static void set_cursor(struct bench *bench, uint64_t cons)
{
    vmr_store_relaxed(c_word(bench, bench->pair->geo.cursor_off), cons);
}

static void set_armed(struct bench *bench, uint64_t armed)
{
    vmr_store_relaxed(c_word(bench, bench->pair->geo.c_group_off), armed);
}

/* off: attn_request_off, attn_lane_off or answered_off. */
static void set_bits(struct bench *bench, uint32_t off, uint64_t bits)
{
    vmr_store_relaxed(c_word(bench, bench->pair->geo.c_group_off + off), bits);
}

static void scribble(struct bench *bench)
{
    const struct vmr_geometry *geo = &bench->pair->geo;

    for (uint64_t off = 0; off < geo->c_len; off += 8)
        vmr_store_relaxed(c_word(bench, off), any(bench));
    /* Whether somebody is to be woken decides the path. */
    set_armed(bench, 0);
    set_bits(bench, geo->attn_request_off, 0);
    set_bits(bench, geo->attn_lane_off, 0);
    set_bits(bench, geo->answered_off, 0);
}

/* --- situations ---------------------------------------------------------- */

static void push(struct bench *bench)
{
    (void)vmr_lane_push(&bench->pair->tx.lanes[0], &bench->event);
}

static void producer_push(struct bench *bench)
{
    (void)vmr_producer_push(&bench->pair->tx, 0, &bench->event);
}

static void push_own(struct bench *bench)
{
    (void)vmr_producer_push_own(&bench->pair->tx, 0, &bench->event);
}

static void flush(struct bench *bench)
{
    (void)vmr_producer_flush(&bench->pair->tx);
}

static void post(struct bench *bench)
{
    (void)vmr_producer_post(&bench->pair->tx, &bench->request);
}

static void collect(struct bench *bench)
{
    (void)vmr_producer_collect(&bench->pair->tx, DUE, &bench->verdict);
}

static void next(struct bench *bench)
{
    (void)vmr_consumer_next(&bench->pair->rx, 0, &bench->got, &bench->where);
}

static void nothing(struct bench *bench)
{
    (void)bench;
}

static void fill(struct bench *bench)
{
    for (int i = 0; i < SLOTS; i++)
        push(bench);
}

/* Some records in, all of C is noise. */
static void some(struct bench *bench)
{
    for (uint64_t i = any(bench) % (SLOTS / 2); i; i--)
        push(bench);
    scribble(bench);
}

/* No room is known beyond this record, for which lines could be asked. */
static void nearly_full(struct bench *bench)
{
    for (int i = 1; i < SLOTS; i++)
        push(bench);
    scribble(bench);
}

static void full(struct bench *bench)
{
    fill(bench);
    scribble(bench);
    set_cursor(bench, 0);
}

static void full_then_room(struct bench *bench)
{
    full(bench);
    set_cursor(bench, SLOTS / 2 + any(bench) % (SLOTS / 2));
}

static void full_then_little_room(struct bench *bench)
{
    full(bench);
    set_cursor(bench, 1 + any(bench) % 8);
}

static void full_cursor_ahead(struct bench *bench)
{
    full(bench);
    set_cursor(bench, SLOTS + 1 + any(bench) % 1000);
}

static void full_cursor_huge(struct bench *bench)
{
    full(bench);
    set_cursor(bench, ~0ULL - any(bench) % 1000);
}

static void full_cursor_back(struct bench *bench)
{
    full(bench);
    set_cursor(bench, SLOTS);
    push(bench);
    for (int i = 1; i < SLOTS; i++)
        push(bench);
    set_cursor(bench, any(bench) % SLOTS);
}

static void faulted(struct bench *bench)
{
    full_cursor_huge(bench);
    push(bench);
    scribble(bench);
}

static void overrun(struct bench *bench)
{
    for (uint64_t i = any(bench) % (3 * SLOTS); i; i--)
        push(bench);
    scribble(bench);
}

static void pushed(struct bench *bench)
{
    producer_push(bench);
    scribble(bench);
}

/* The flush has to tell of the lane already. */
static void pushed_some(struct bench *bench)
{
    for (uint64_t i = 1 + any(bench) % (SLOTS / 2); i; i--)
        producer_push(bench);
    scribble(bench);
}

static void pushed_seen(struct bench *bench)
{
    pushed(bench);
    set_bits(bench, bench->pair->geo.attn_lane_off, 1 | any(bench));
}

static void pushed_armed(struct bench *bench)
{
    pushed(bench);
    set_armed(bench, 1 | any(bench));
}

/* A batch is begun, and its next record has been shown. */
static void amid_batch(struct bench *bench)
{
    struct xen_vm_ring_lane *line =
        (void *)(bench->pair->p + bench->pair->geo.lane_off);

    for (uint64_t i = 4 + any(bench) % (SLOTS / 2); i; i--) {
        for (size_t word = 0; word < 4; word++)
            bench->event.u.words[word] = any(bench);
        bench->event.time = any(bench);
        producer_push(bench);
    }
    flush(bench);
    for (uint64_t i = 1 + any(bench) % 3; i; i--)
        next(bench);
    line->head = any(bench);
    line->shown = any(bench);
    line->lost = any(bench);
}

static void posted(struct bench *bench)
{
    post(bench);
    scribble(bench);
}

static void posted_full(struct bench *bench)
{
    for (int i = 0; i < VMR_FIFO; i++)
        post(bench);
    scribble(bench);
}

/* As long a bitmap as there is: every word of it is set. */
static void flood(struct bench *bench)
{
    posted(bench);
    set_bits(bench, bench->pair->geo.answered_off, ~0ULL);
}

static struct xen_vm_ring_response *response(struct bench *bench)
{
    return (void *)(bench->pair->c + bench->pair->geo.response_off);
}

static void answered(struct bench *bench)
{
    posted(bench);
    memset(response(bench), 0, sizeof(*response(bench)));
    response(bench)->reason = XEN_VM_RING_REASON_CPUID;
    response(bench)->seq = bench->pair->tx.slots[0].seq;
    set_bits(bench, bench->pair->geo.answered_off, 1 | any(bench));
}

static void answered_badly(struct bench *bench)
{
    answered(bench);
    response(bench)->flags = XEN_VM_RING_FLAG_DENY;
}

static void too_late(struct bench *bench)
{
    bench->request.deadline = DUE;
    posted(bench);
}

#define DISCARD   XEN_VM_RING_POLICY_DISCARD
#define OVERWRITE XEN_VM_RING_POLICY_OVERWRITE
#define HEAD      64, XEN_VM_RING_EVENT_HEAD
#define WHOLE     448, XEN_VM_RING_EVENT_FULL

static const struct situation situations[] = {
    {"floor", "nothing is done", some, nothing, DISCARD, HEAD},
    {"push: accepted", "some room, C is noise", some, push, DISCARD, HEAD},
    {"push: accepted, the last", "C is noise", nearly_full, push, DISCARD,
     HEAD},
    {"push: accepted, cursor read", "full, and room by then", full_then_room,
     push, DISCARD, HEAD},
    {"push: accepted, cursor read, little room", "at most 8 records",
     full_then_little_room, push, DISCARD, HEAD},
    {"push: lost, cursor read", "full", full, push, DISCARD, HEAD},
    {"push: lost, cursor a lie", "ahead of head", full_cursor_ahead, push,
     DISCARD, HEAD},
    {"push: lost, cursor a lie", "huge", full_cursor_huge, push, DISCARD, HEAD},
    {"push: lost, cursor a lie", "gone back", full_cursor_back, push, DISCARD,
     HEAD},
    {"push: lost, faulted before", "C is noise", faulted, push, DISCARD, HEAD},
    {"push: overwriting", "any number before", overrun, push, OVERWRITE, HEAD},
    {"push with registers: accepted", "some room, C is noise", some, push,
     DISCARD, WHOLE},
    {"push with registers: lost", "full", full, push, DISCARD, WHOLE},
    {"push with registers: overwriting", "any number before", overrun, push,
     OVERWRITE, WHOLE},
    {"producer's push: accepted", "some room, C is noise", some, producer_push,
     DISCARD, HEAD},
    {"producer's push: accepted, as many before", "C is noise", pushed_some,
     producer_push, DISCARD, HEAD},
    {"producer's push: overwriting, as many before", "C is noise", pushed_some,
     producer_push, OVERWRITE, HEAD},
    {"producer's push: with registers", "C is noise", pushed_some,
     producer_push, DISCARD, WHOLE},
    {"push_own: accepted", "some room, C is noise", some, push_own, DISCARD,
     HEAD},
    {"producer's push: lost", "full", full, producer_push, DISCARD, HEAD},
    {"producer's push: lost, faulted", "C is noise", faulted, producer_push,
     DISCARD, HEAD},
    {"pull: amid a batch", "P's words are noise", amid_batch, next, DISCARD,
     HEAD},
    {"pull: amid a batch, overwriting", "P's words are noise", amid_batch, next,
     OVERWRITE, HEAD},
    {"pull: amid a batch, with registers", "P's words are noise", amid_batch,
     next, DISCARD, WHOLE},
    {"flush: nothing new", "C is noise", some, flush, DISCARD, HEAD},
    {"flush: bit set already", "and others", pushed_seen, flush, DISCARD, HEAD},
    {"flush: bit set, nobody armed", "C is noise", pushed, flush, DISCARD,
     HEAD},
    {"flush: bit set, rings", "armed by any value", pushed_armed, flush,
     DISCARD, HEAD},
    {"post: visible at once", "C is noise", some, post, DISCARD, HEAD},
    {"post: behind another", "C is noise", posted, post, DISCARD, HEAD},
    {"post: overflow", "C is noise", posted_full, post, DISCARD, HEAD},
    {"post with registers: visible at once", "C is noise", some, post, DISCARD,
     WHOLE},
    {"collect: no answer", "C is noise", posted, collect, DISCARD, HEAD},
    {"collect: bits flooded", "every bit is set", flood, collect, DISCARD,
     HEAD},
    {"collect: refused", "not in the mask", answered_badly, collect, DISCARD,
     HEAD},
    {"collect: answer", "and bits for nothing", answered, collect, DISCARD,
     HEAD},
    {"collect: past its deadline", "C is noise", too_late, collect, DISCARD,
     HEAD},
};

static int run(const struct situation *is, uint64_t seed)
{
    struct pair_plan plan = {.nr_vcpus = 1,
                             .policy = is->policy,
                             .record_len = is->record_len,
                             .async_len = (uint64_t)SLOTS * is->record_len};
    struct bench bench;
    char name[128];

    memset(&bench, 0, sizeof(bench));
    bench.seed = seed * 0x9e3779b97f4a7c15ULL + 1;
    bench.event.reason = XEN_VM_RING_REASON_CPUID;
    bench.event.length = (uint16_t)is->length;
    bench.event.u.words[0] = any(&bench);
    bench.request.event = bench.event;
    bench.request.deadline = VMR_NO_DEADLINE;
    bench.pair = pair_make(&plan);
    if (!bench.pair)
        return 1;
    is->prepare(&bench);
    CALLGRIND_TOGGLE_COLLECT;
    is->operation(&bench);
    CALLGRIND_TOGGLE_COLLECT;
    snprintf(name, sizeof(name), "%s|%s", is->path, is->name);
    CALLGRIND_DUMP_STATS_AT(name);
    pair_end(bench.pair);
    return 0;
}

int main(void)
{
    for (size_t i = 0; i < sizeof(situations) / sizeof(situations[0]); i++)
        for (uint64_t round = 1; round <= ROUNDS; round++)
            if (run(&situations[i], round))
                return 1;
    return 0;
}
