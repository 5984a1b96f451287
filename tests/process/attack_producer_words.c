/* SPDX-License-Identifier: MIT */
/*
 * Description: each word of P, set to anything and flipped all the time, in
 * the middle of real traffic: the consumer comes back from every call, hands
 * out what is whole and of its lane, or says -EPROTO for good.
 */
#include <errno.h>

#include "attack_victim.h"
#include "witness.h"

/* What a run of words is, and what may come of setting them. */
struct area {
    const char *name;
    uint64_t off, words;
    bool lies;       /* of the guest: what is handed out may be nonsense */
    bool may_break;  /* -EPROTO */
    bool may_finish; /* -ESRCH: the target is said to be gone */
};

static xen_vm_ring_u64 *target;

static void flip(struct evil *evil)
{
    static const uint64_t values[] = {0, ~0ULL, 1ULL << 63, 1, 0x5555};
    uint64_t old = __atomic_load_n(target, __ATOMIC_RELAXED);

    __atomic_store_n(target, ~old, __ATOMIC_RELAXED);
    __atomic_store_n(target, old, __ATOMIC_RELAXED);
    __atomic_store_n(target, old + 2, __ATOMIC_RELAXED);
    __atomic_store_n(target, values[roll(&evil->seed, 5)], __ATOMIC_RELAXED);
}

/* The session has ended: it may have, and the next begins. */
static void check_end(struct evil *evil, const struct area *area, uint64_t word)
{
    struct victim *v = evil->v;

    if (!v->end)
        return;
    CLAIM(v,
          (v->end == -EPROTO && area->may_break) ||
              (v->end == -ESRCH && area->may_finish),
          "%s, word %llu: %d", area->name, (unsigned long long)word, v->end);
    if (v->end == -EPROTO)
        CLAIM(v, v->rejected > 0, "%s: nothing was counted", area->name);
    evil_hang_up(evil);
    evil_attach(evil);
    target = (xen_vm_ring_u64 *)evil->p.at + area->off / 8 + word;
}

static void attack_word(struct evil *evil, const struct area *area,
                        uint64_t word)
{
    target = (xen_vm_ring_u64 *)evil->p.at + area->off / 8 + word;
    for (int i = 0; i < 8; i++) {
        uint64_t old = __atomic_load_n(target, __ATOMIC_RELAXED);
        const uint64_t values[] = {0,       1,          ~0ULL,   old + 1,
                                   old - 1, 1ULL << 63, old + 2, old ^ 0xff};

        __atomic_store_n(target, values[i], __ATOMIC_RELAXED);
        evil_traffic(evil, 1);
        evil_ring(evil);
        victim_goes_on(evil, 4);
        check_end(evil, area, word);
    }
    evil_traffic(evil, 1);
    evil_again(evil, flip, 4);
    victim_goes_on(evil, 1);
    check_end(evil, area, word);
}

/* A fresh session for each run: nothing of the run before is on its way. */
static void attack_area(struct evil *evil, const struct area *area)
{
    unsigned long events = evil->v->events;

    evil_hang_up(evil);
    victim_ends(evil);
    evil->v->lies = area->lies;
    evil_attach(evil);
    for (uint64_t i = 0; i < area->words && !evil->v->violations; i++)
        attack_word(evil, area, i);
    CLAIM(evil->v, evil->v->events > events, "%s: nothing came", area->name);
}

static void attack_all(struct evil *evil, uint32_t policy)
{
    const struct vmr_geometry *geo = &evil->geo;
    bool overwrite = policy == XEN_VM_RING_POLICY_OVERWRITE;
    uint64_t lane = geo->lane_off, record = geo->record_off;
    const struct area areas[] = {
        {"the header", 0, 32, false, false, false},
        {"the header's live part", 256, 16, false, false, true},
        {"a request", geo->request_off, 51, true, true, false},
        {"a later request", geo->request_off + 1024, 8, true, true, false},
        {"the groups", geo->p_group_off, 32, false, false, false},
        {"a head", lane, 1, overwrite, true, false},
        {"the rest of its line", lane + 8, 15, false, false, false},
        {"what is shown", lane + 128, 1, overwrite, true, false},
        {"the rest of that line", lane + 136, 15, false, false, false},
        {"a later lane", lane + 512, 4, overwrite, true, false},
        {"what that shows", lane + 640, 1, overwrite, true, false},
        {"a record's state", record, 1, overwrite, true, false},
        {"a record", record + 8, 50, true, true, false},
        {"a later record", record + 448, 8, true, true, false},
    };

    evil->policy = policy;
    for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++)
        if (!evil->v->violations)
            attack_area(evil, &areas[i]);
}

/* What a header can say that is not so, before anybody has read it. */
static uint64_t header_word, header_value;

static void lie_in_header(struct evil *evil)
{
    xen_vm_ring_u64 *words = evil->p.at;
    const uint64_t values[] = {0,           ~0ULL,
                               1ULL << 63,  words[header_word] + 64,
                               1ULL << 32,  words[header_word] ^ 1,
                               4096,        words[header_word] * 2,
                               0x100000001, words[header_word] - 128};

    words[header_word] = values[header_value];
}

/* Either it is refused, or what it says stays within the regions. */
static void attack_attach(struct evil *evil)
{
    struct victim *v = evil->v;

    evil->before_answer = lie_in_header;
    v->lies = 1;
    for (header_word = 0; header_word < 32; header_word++) {
        for (header_value = 0; header_value < 10; header_value++) {
            evil_hang_up(evil);
            victim_ends(evil);
            evil_attach(evil);
            evil_traffic(evil, 2);
            evil_ring(evil);
            victim_goes_on(evil, 4);
            CLAIM(v, v->end == 0 || v->end == -EPROTO, "word %u: %d",
                  (unsigned int)header_word, v->end);
        }
    }
    evil->before_answer = NULL;
}

int main(void)
{
    struct evil evil;
    unsigned long sessions;
    int ret;
    pid_t pid = victim_start(&evil);

    evil_attach(&evil);
    attack_all(&evil, XEN_VM_RING_POLICY_DISCARD);
    attack_all(&evil, XEN_VM_RING_POLICY_OVERWRITE);
    attack_attach(&evil);
    printf("%lu sessions, %lu calls, %lu events\n", evil.v->sessions,
           evil.v->calls, evil.v->events);
    sessions = evil.v->sessions;
    ret = victim_end(&evil, pid) != 0;
    /* More than there are areas: what was broken was noticed. */
    CHECK(sessions > 40);
    return ret;
}
