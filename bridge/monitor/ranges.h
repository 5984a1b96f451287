/* SPDX-License-Identifier: MIT */
/*
 * ranges.h: which MSRs and frames are armed, which are to be, and what
 * the next step from the one to the other is.  Pure: the caller takes the
 * step and asks for the next.
 */
#ifndef BRIDGE_MONITOR_RANGES_H
#define BRIDGE_MONITOR_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "../../libvmring/vmring.h"

/* Those that Xen has bits for: three windows of 0x2000. */
#define NR_MSRS 0x6000u

enum msr_watch { MSR_OFF, MSR_EVERY, MSR_ONCHANGE };

/* As two neighbours whose bits are the same are one, this is enough. */
#define MAX_PAGE_RANGES (2 * VMRING_MAX_SPECS)

struct page_range {
    uint64_t first, last;
    unsigned int watched; /* VMRING_MEM_*, not 0 */
};

struct page_ranges {
    unsigned int nr;
    struct page_range range[2 * MAX_PAGE_RANGES];
};

struct ranges {
    uint8_t msr[NR_MSRS], msr_wanted[NR_MSRS]; /* enum msr_watch */
    unsigned int msr_at;

    /* Below frame_at it is as wanted, from there on as it was. */
    struct page_ranges frames, frames_wanted, both;
    uint64_t frame_at;
};

/* An MSR's index in the arrays, or -1: Xen has no bit for it. */
int ranges_msr_index(uint64_t msr);

/*
 * Wants the ranges among these specs from now on.  Unless it is
 * nothing, all must be as was wanted before.
 */
void ranges_want(struct ranges *ranges, const struct vmring_spec *specs,
                 unsigned int nr);

/* Nothing is armed any more, nor is to be: there is no domain. */
void ranges_forget(struct ranges *ranges);

/* The next MSR to be set: true, and from what to what. */
bool ranges_next_msr(struct ranges *ranges, uint32_t *msr, enum msr_watch *from,
                     enum msr_watch *to);
void ranges_msr_is(struct ranges *ranges, uint32_t msr, enum msr_watch now);

/* The next frames to be set, at most `max`; *watched is what they are to be. */
bool ranges_next_frames(struct ranges *ranges, uint64_t max, uint64_t *first,
                        uint64_t *last, unsigned int *watched);
/* They are, or some of them. */
void ranges_frames_are(struct ranges *ranges, uint64_t last);

#endif /* BRIDGE_MONITOR_RANGES_H */
