/* SPDX-License-Identifier: MIT */
/*
 * Description: what a hostile consumer does with answers, cursors and hints,
 * and what the producer makes of each.
 */
#include <sched.h>
#include <unistd.h>

#include "attack.h"
#include "transport/local/socket.h"

/* --------------------------------------------------------------- answers -- */

static struct xen_vm_ring_response *response_of(struct hostile *h, uint32_t v)
{
    return (void *)(h->c + h->geo.response_off +
                    (uint64_t)v * XEN_VM_RING_SLOT);
}

static xen_vm_ring_u64 *bits_of(struct hostile *h, uint32_t group, uint32_t off)
{
    return (void *)(h->c + h->geo.c_group_off +
                    (uint64_t)group * h->geo.c_group_len + off);
}

static void set_answered(struct hostile *h, uint32_t v)
{
    uint32_t n = h->geo.nr_groups;

    __atomic_fetch_or(bits_of(h, v % n, h->geo.answered_off), 1ULL << v / n,
                      __ATOMIC_SEQ_CST);
}

/* The seq that a vCPU's slot shows; odd: posted. */
static uint64_t seq_of(struct hostile *h, uint32_t v)
{
    return __atomic_load_n(
        (const uint64_t *)(const void *)(h->p + h->geo.request_off +
                                         (uint64_t)v * XEN_VM_RING_SLOT),
        __ATOMIC_ACQUIRE);
}

static uint64_t posted(struct hostile *h, uint32_t v)
{
    uint64_t until = now_ns() + 30000000000ULL, seq;

    while (!((seq = seq_of(h, v)) & 1) && now_ns() < until)
        sched_yield();
    WITNESS(h->w, seq & 1, "vCPU %u posts nothing", v);
    return seq;
}

static void answer(struct hostile *h, uint32_t v, uint64_t seq, uint32_t flags,
                   uint16_t reason)
{
    struct xen_vm_ring_response *response = response_of(h, v);

    response->flags = flags;
    response->reason = reason;
    __atomic_store_n(&response->seq, seq, __ATOMIC_RELEASE);
    set_answered(h, v);
}

#define CTRLREG XEN_VM_RING_REASON_WRITE_CTRLREG

static void old_seq(struct hostile *h)
{
    answer(h, 0, posted(h, 0) - 2, 0, CTRLREG);
}

static void even_seq(struct hostile *h)
{
    answer(h, 0, posted(h, 0) + 1, 0, CTRLREG);
}

static void future_seq(struct hostile *h)
{
    answer(h, 0, posted(h, 0) + 200000, 0, CTRLREG);
}

static void others_seq(struct hostile *h)
{
    /* Far from its own, as every vCPU counts for itself. */
    answer(h, 0, posted(h, 1) + posted(h, 2) + 1, 0, CTRLREG);
}

static void all_seqs(struct hostile *h)
{
    answer(h, roll(&h->seed, W_VCPUS), roll(&h->seed, 1u << 16),
           XEN_VM_RING_FLAG_DENY, CTRLREG);
}

static void twice(struct hostile *h)
{
    uint64_t seq = posted(h, 0);

    answer(h, 0, seq, XEN_VM_RING_FLAG_DENY, CTRLREG);
    for (int i = 0; i < 20; i++) {
        set_answered(h, 0);
        goes_on(h->w, 1);
    }
}

static void beyond_mask(struct hostile *h)
{
    answer(h, 0, posted(h, 0), XEN_VM_RING_FLAG_SET_REGISTERS, CTRLREG);
}

static void all_flags(struct hostile *h)
{
    answer(h, 0, posted(h, 0), UINT32_MAX, CTRLREG);
}

static void other_reason(struct hostile *h)
{
    answer(h, 0, posted(h, 0), 0, XEN_VM_RING_REASON_CPUID);
}

static void flags_change(struct hostile *h)
{
    struct xen_vm_ring_response *response = response_of(h, 0);
    uint64_t seq = seq_of(h, 0);

    response->reason = CTRLREG;
    __atomic_store_n(&response->flags, XEN_VM_RING_FLAG_DENY, __ATOMIC_RELAXED);
    __atomic_store_n(&response->seq, seq, __ATOMIC_RELEASE);
    set_answered(h, 0);
    for (int i = 0; i < 20; i++) {
        __atomic_store_n(&response->flags,
                         XEN_VM_RING_FLAG_SET_REGISTERS |
                             XEN_VM_RING_FLAG_SET_EMUL_READ_DATA,
                         __ATOMIC_RELAXED);
        __atomic_store_n(&response->flags, XEN_VM_RING_FLAG_DENY,
                         __ATOMIC_RELAXED);
    }
}

/* --------------------------------------------------------------- cursors -- */

static void set_cursors(struct hostile *h, uint64_t cons)
{
    for (uint32_t i = 0; i < h->geo.nr_lanes; i++)
        __atomic_store_n((uint64_t *)(void *)(h->c + h->geo.cursor_off +
                                              (uint64_t)i * XEN_VM_RING_LINE),
                         cons, __ATOMIC_RELEASE);
}

static uint64_t head_of(struct hostile *h, uint32_t lane)
{
    return __atomic_load_n(
        (const uint64_t *)(const void *)(h->p + h->geo.lane_off +
                                         (uint64_t)lane * XEN_VM_RING_LANE),
        __ATOMIC_ACQUIRE);
}

static void await_full(struct hostile *h)
{
    uint64_t until = now_ns() + 30000000000ULL;

    for (uint32_t i = 0; i < h->geo.nr_lanes; i++)
        while (head_of(h, i) < h->geo.nr_records && now_ns() < until)
            sched_yield();
}

static void cursor_one_too_far(struct hostile *h)
{
    await_full(h);
    set_cursors(h, h->geo.nr_records + 1);
}

static void cursor_huge(struct hostile *h)
{
    set_cursors(h, UINT64_MAX);
}

static void cursor_half_way_round(struct hostile *h)
{
    set_cursors(h, 1ULL << 63);
}

/* Forward as far as the head, and then back. */
static void cursor_back(struct hostile *h)
{
    uint64_t until = now_ns() + 30000000000ULL;

    await_full(h);
    set_cursors(h, h->geo.nr_records);
    while (head_of(h, 0) < h->geo.nr_records + 1 && now_ns() < until)
        sched_yield();
    set_cursors(h, 0);
}

/* It has read nothing, and says that it has: those records are its loss. */
static void cursor_within(struct hostile *h)
{
    for (uint32_t i = 0; i < h->geo.nr_lanes; i++)
        __atomic_store_n((uint64_t *)(void *)(h->c + h->geo.cursor_off +
                                              (uint64_t)i * XEN_VM_RING_LINE),
                         head_of(h, i), __ATOMIC_RELEASE);
}

/* ------------------------------------------------------ hints ---------- -- */

static void flood_bits(struct hostile *h)
{
    uint32_t words = (h->geo.c_group_len - XEN_VM_RING_LINE) / 8;

    for (uint32_t g = 0; g < h->geo.nr_groups; g++)
        for (uint32_t i = 0; i < words; i++)
            __atomic_store_n(bits_of(h, g, XEN_VM_RING_LINE) + i, ~0ULL,
                             __ATOMIC_RELAXED);
}

static void flood_answered(struct hostile *h)
{
    for (uint32_t g = 0; g < h->geo.nr_groups; g++)
        __atomic_store_n(bits_of(h, g, h->geo.answered_off), ~0ULL,
                         __ATOMIC_RELAXED);
}

static void clear_bits(struct hostile *h)
{
    for (uint32_t g = 0; g < h->geo.nr_groups; g++) {
        __atomic_store_n(bits_of(h, g, h->geo.attn_request_off), 0,
                         __ATOMIC_RELAXED);
        __atomic_store_n(bits_of(h, g, h->geo.attn_lane_off), 0,
                         __ATOMIC_RELAXED);
    }
}

#define DISCARD   XEN_VM_RING_POLICY_DISCARD
#define OVERWRITE XEN_VM_RING_POLICY_OVERWRITE
#define STALE     (IGNORED | NO_FAULT | NO_ANSWER)

static const struct attack attacks[] = {
    {"nothing at all", NULL, NULL, NO_FAULT | NO_ANSWER, DISCARD},
    {"an old seq", old_seq, NULL, STALE, DISCARD},
    {"an even seq", even_seq, NULL, STALE, DISCARD},
    {"a future seq", future_seq, NULL, STALE, DISCARD},
    {"another vCPU's seq", others_seq, NULL, STALE, DISCARD},
    {"any seq", NULL, all_seqs, IGNORED | NO_FAULT, DISCARD},
    {"one answer twice", twice, NULL, IGNORED | NO_FAULT, DISCARD},
    {"a verdict beyond the mask", beyond_mask, NULL, STALE, DISCARD},
    {"every flag", all_flags, NULL, STALE, DISCARD},
    {"another reason", other_reason, NULL, STALE, DISCARD},
    {"flags that change", NULL, flags_change, NO_FAULT, DISCARD},
    {"a cursor one too far", cursor_one_too_far, NULL, FAULTS, DISCARD},
    {"a huge cursor", cursor_huge, NULL, FAULTS, DISCARD},
    {"a cursor half way round", cursor_half_way_round, NULL, FAULTS, DISCARD},
    {"a cursor that goes back", cursor_back, NULL, FAULTS, DISCARD},
    {"a cursor at the head", NULL, cursor_within, NO_FAULT, DISCARD},
    {"a huge cursor that nobody needs", cursor_huge, NULL, NO_FAULT, OVERWRITE},
    {"all bits", NULL, flood_bits, IGNORED | NO_FAULT, DISCARD},
    {"all answered bits", NULL, flood_answered, IGNORED | NO_FAULT, OVERWRITE},
    {"no bits", NULL, clear_bits, NO_FAULT, DISCARD},
};

#define NR (sizeof(attacks) / sizeof(attacks[0]))

/*
 * Who was attached still maps C and writes it: answers to the requests of his
 * successor, who gives none, do nothing.
 */
static void stale_epoch(struct witness *w)
{
    struct hostile old, now;
    uint64_t answered;

    hostile_attach(&old, w, DISCARD);
    close(old.control);
    old.control = dup(old.p_fd); /* for hostile_leave() to close */
    hostile_attach(&now, w, DISCARD);
    CHECK(now.geo.epoch == old.geo.epoch + 1);
    probe(w);
    answered = w->stats.answered;
    for (int i = 0; i < 30; i++) {
        for (uint32_t v = 0; v < W_VCPUS; v++)
            answer(&old, v, seq_of(&now, v), 0, CTRLREG);
        flood_bits(&old);
        set_cursors(&old, UINT64_MAX);
        doorbell_ring(old.bells[0]);
        goes_on(w, 1);
    }
    probe(w);
    WITNESS(w, w->stats.answered == answered, "%llu",
            (unsigned long long)(w->stats.answered - answered));
    WITNESS(w, w->attached, "%d", w->attached);
    hostile_leave(&old);
    hostile_leave(&now);
    check_after(w, "a stale epoch");
}

int main(int argc, char **argv)
{
    struct witness *w;
    pid_t source;

    w = attack_scene(&source);
    check_after(w, "the start");
    for (size_t i = 0; i < NR && !w->violations; i++) {
        uint64_t began = now_ns();

        attack_perform(w, &attacks[i]);
        if (argc > 1 && !strcmp(argv[1], "-v"))
            printf("%6.1f ms  %s\n", (double)(now_ns() - began) / 1e6,
                   attacks[i].name);
    }
    stale_epoch(w);
    printf("%zu attacks\n", NR + 1);
    return attack_end(w, source) != 0;
}
