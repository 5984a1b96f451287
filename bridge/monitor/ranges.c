/* SPDX-License-Identifier: MIT */
/* ranges.c: MSRs and frames: what is armed, and what is to be. */
#include "ranges.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW UINT64_C(0x2000)

static const uint64_t windows[] = {0, 0x40000000, 0xc0000000};

/* ---------------------------------------------------------------- MSRs -- */

int ranges_msr_index(uint64_t msr)
{
    for (unsigned int i = 0; i < NR_MSRS / WINDOW; i++) {
        if (msr - windows[i] < WINDOW)
            return (int)(i * WINDOW + (msr - windows[i]));
    }
    return -1;
}

static uint32_t msr_at(unsigned int index)
{
    return (uint32_t)(windows[index / WINDOW] + index % WINDOW);
}

static void want_msrs(struct ranges *ranges, const struct vmring_spec *spec)
{
    uint8_t watch =
        (spec->flags & VMRING_SPEC_ONCHANGE) ? MSR_ONCHANGE : MSR_EVERY;

    for (unsigned int w = 0; w < NR_MSRS / WINDOW; w++) {
        uint64_t first = windows[w], last = windows[w] + WINDOW - 1;

        first = spec->first > first ? spec->first : first;
        last = spec->last < last ? spec->last : last;
        for (uint64_t msr = first; msr <= last; msr++) {
            uint8_t *wanted = &ranges->msr_wanted[ranges_msr_index(msr)];

            if (*wanted != MSR_EVERY)
                *wanted = watch;
        }
    }
}

bool ranges_next_msr(struct ranges *ranges, uint32_t *msr, enum msr_watch *from,
                     enum msr_watch *to)
{
    for (; ranges->msr_at < NR_MSRS; ranges->msr_at++) {
        *from = ranges->msr[ranges->msr_at];
        *to = ranges->msr_wanted[ranges->msr_at];
        *msr = msr_at(ranges->msr_at);
        if (*from != *to)
            return true;
    }
    return false;
}

void ranges_msr_is(struct ranges *ranges, uint32_t msr, enum msr_watch now)
{
    ranges->msr[ranges_msr_index(msr)] = (uint8_t)now;
}

/* -------------------------------------------------------------- frames -- */

/* VMRING_MEM_* of this frame, and the last frame with the same ones. */
static unsigned int watched_at(const struct page_ranges *of, uint64_t frame,
                               uint64_t *until)
{
    unsigned int low = 0, high = of->nr;

    while (low < high) {
        unsigned int middle = (low + high) / 2;

        if (of->range[middle].last < frame)
            low = middle + 1;
        else
            high = middle;
    }
    *until = UINT64_MAX;
    if (low == of->nr)
        return 0;
    if (of->range[low].first > frame) {
        *until = of->range[low].first - 1;
        return 0;
    }
    *until = of->range[low].last;
    return of->range[low].watched;
}

static void append(struct page_ranges *of, uint64_t first, uint64_t last,
                   unsigned int watched)
{
    struct page_range *before = of->nr ? &of->range[of->nr - 1] : NULL;

    if (!watched)
        return;
    if (before && before->watched == watched && before->last + 1 == first)
        before->last = last;
    else
        of->range[of->nr++] = (struct page_range){first, last, watched};
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static bool is_frames(const struct vmring_spec *spec)
{
    return spec->reason == XEN_VM_RING_REASON_MEM_ACCESS;
}

/* Each piece between two edges has what all specs there want together. */
static void want_frames(struct page_ranges *wanted,
                        const struct vmring_spec *specs, unsigned int nr)
{
    uint64_t edges[2 * VMRING_MAX_SPECS];
    unsigned int nr_edges = 0;

    wanted->nr = 0;
    for (unsigned int i = 0; i < nr; i++) {
        if (!is_frames(&specs[i]))
            continue;
        edges[nr_edges++] = specs[i].first;
        edges[nr_edges++] = specs[i].last + 1;
    }
    if (!nr_edges)
        return;
    qsort(edges, nr_edges, sizeof(edges[0]), compare);
    for (unsigned int e = 0; e + 1 < nr_edges; e++) {
        unsigned int watched = 0;

        if (edges[e] == edges[e + 1])
            continue;
        for (unsigned int i = 0; i < nr; i++) {
            if (is_frames(&specs[i]) && specs[i].first <= edges[e] &&
                specs[i].last >= edges[e])
                watched |= specs[i].access;
        }
        append(wanted, edges[e], edges[e + 1] - 1, watched);
    }
}

static void copy_part(struct page_ranges *to, const struct page_ranges *from,
                      uint64_t first, uint64_t last)
{
    for (unsigned int i = 0; i < from->nr; i++) {
        const struct page_range *range = &from->range[i];

        if (range->last < first || range->first > last)
            continue;
        append(to, range->first > first ? range->first : first,
               range->last < last ? range->last : last, range->watched);
    }
}

/* `frames` becomes what there is: parts of both, if we are amid of it. */
static void settle_frames(struct ranges *ranges)
{
    struct page_ranges *both = &ranges->both;

    if (ranges->frame_at == 0)
        return;
    both->nr = 0;
    copy_part(both, &ranges->frames_wanted, 0, ranges->frame_at - 1);
    copy_part(both, &ranges->frames, ranges->frame_at, UINT64_MAX);
    ranges->frames = *both;
    ranges->frame_at = 0;
}

bool ranges_next_frames(struct ranges *ranges, uint64_t max, uint64_t *first,
                        uint64_t *last, unsigned int *watched)
{
    while (ranges->frame_at != UINT64_MAX) {
        uint64_t at = ranges->frame_at, until, end;
        unsigned int now = watched_at(&ranges->frames, at, &until);

        *watched = watched_at(&ranges->frames_wanted, at, &end);
        end = end < until ? end : until;
        if (now != *watched) {
            *first = at;
            *last = end - at < max ? end : at + max - 1;
            return true;
        }
        ranges_frames_are(ranges, end);
    }
    return false;
}

void ranges_frames_are(struct ranges *ranges, uint64_t last)
{
    ranges->frame_at = last == UINT64_MAX ? last : last + 1;
}

/* ---------------------------------------------------------------- both -- */

void ranges_want(struct ranges *ranges, const struct vmring_spec *specs,
                 unsigned int nr)
{
    settle_frames(ranges);
    memset(ranges->msr_wanted, MSR_OFF, sizeof(ranges->msr_wanted));
    ranges->msr_at = 0;
    for (unsigned int i = 0; i < nr; i++) {
        if (specs[i].reason == XEN_VM_RING_REASON_MOV_TO_MSR)
            want_msrs(ranges, &specs[i]);
    }
    want_frames(&ranges->frames_wanted, specs, nr);
}

void ranges_forget(struct ranges *ranges)
{
    memset(ranges, 0, sizeof(*ranges));
}
