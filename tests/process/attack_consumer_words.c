/* SPDX-License-Identifier: MIT */
/*
 * Description: each word of C, set to anything and flipped all the time, in
 * the middle of real traffic: the producer goes on, its head + lost is what
 * was attempted, and each request has one verdict, within the mask.
 */
#include "attack.h"

#define SLOT (XEN_VM_RING_SLOT / 8)

static xen_vm_ring_u64 *target;

static void flip(struct hostile *h)
{
    static const uint64_t values[] = {0, ~0ULL, 1ULL << 63, 1, 0x5555};
    uint64_t old = __atomic_load_n(target, __ATOMIC_RELAXED);

    __atomic_store_n(target, ~old, __ATOMIC_RELAXED);
    __atomic_store_n(target, old, __ATOMIC_RELAXED);
    __atomic_store_n(target, values[roll(&h->seed, 5)], __ATOMIC_RELAXED);
}

static void attack_word(struct witness *w, uint64_t off)
{
    struct hostile h;

    hostile_attach(&h, w, XEN_VM_RING_POLICY_DISCARD);
    target = (xen_vm_ring_u64 *)(void *)(h.c + off);
    hostile_traffic(&h, 8);
    for (int i = 0; i < 7; i++) {
        uint64_t old = __atomic_load_n(target, __ATOMIC_RELAXED);
        const uint64_t values[] = {0,       1,          ~0ULL,  old + 1,
                                   old - 1, 1ULL << 63, old ^ 8};

        __atomic_store_n(target, values[i], __ATOMIC_RELAXED);
        goes_on(w, 1);
        hostile_traffic(&h, 8);
    }
    while_again(&h, flip, 2);
    hostile_traffic(&h, 8);
    hostile_leave(&h);
}

int main(void)
{
    struct hostile h;
    struct witness *w;
    uint64_t faults, ignored, words, nr = 0;
    pid_t source;
    int ret;

    w = attack_scene(&source);
    check_after(w, "the start");
    hostile_attach(&h, w, XEN_VM_RING_POLICY_DISCARD);
    words = (h.geo.c_group_off + h.geo.nr_groups * h.geo.c_group_len) / 8;
    hostile_leave(&h);
    for (uint64_t i = 0; i < words && !w->violations; i++) {
        /* Bodies are alike: all of vCPU 0's, the seq and flags of others. */
        if (i >= SLOT && i < W_VCPUS * SLOT && i % SLOT > 1)
            continue;
        nr++;
        attack_word(w, i * 8);
        if (w->violations)
            fprintf(stderr, "that was offset %llu of C\n",
                    (unsigned long long)i * 8);
    }
    check_after(w, "all words");
    faults = w->stats.lane_faults;
    ignored = w->stats.ignored;
    /* They are seen, and they are counted. */
    WITNESS(w, faults > 0 && ignored > 0, "%llu faults, %llu ignored",
            (unsigned long long)faults, (unsigned long long)ignored);
    ret = attack_end(w, source) != 0;
    printf("%llu words; %llu lanes were faulted, %llu answers and hints "
           "ignored\n",
           (unsigned long long)nr, (unsigned long long)faults,
           (unsigned long long)ignored);
    return ret;
}
