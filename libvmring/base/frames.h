/* SPDX-License-Identifier: MIT */
/*
 * frames.h: restricting what a guest may do to frames of its memory, for
 * whoever asks Xen for that: vmring-bridge, and the keeper of a ring of Xen's.
 */
#ifndef VMRING_BASE_FRAMES_H
#define VMRING_BASE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <xenctrl.h> /* xenmem_access_t, and types that memory.h does without */

#include "../vmring.h"

/* Frames of one call, in which Xen holds a lock that each vCPU may need. */
#define FRAMES_PER_CALL 64
/* Frames of one subscription: 64 GiB. */
#define FRAMES_MAX (UINT64_C(1) << 24)

/*
 * What remains permitted, all where nothing is watched any more.  EPT knows no
 * page that can be written and not read, so watching reads is watching writes
 * too (ept_p2m_type_to_flags()).
 */
static inline xenmem_access_t frames_access_left(unsigned int watched)
{
    if (watched & VMRING_MEM_R)
        return watched & VMRING_MEM_X ? XENMEM_access_n : XENMEM_access_x;
    if (watched & VMRING_MEM_W)
        return watched & VMRING_MEM_X ? XENMEM_access_r : XENMEM_access_rx;
    return watched & VMRING_MEM_X ? XENMEM_access_rw : XENMEM_access_rwx;
}

/*
 * Why these frames cannot be watched in a guest whose last one is `last`, or
 * NULL.  `text` may become what is returned.  Xen knows no default access that
 * is restored; its "all frames" is ~0.
 */
static inline const char *frames_refuse(const struct vmring_spec *spec,
                                        uint64_t last, char *text,
                                        size_t text_len)
{
    if (spec->flags & VMRING_SPEC_WALKS)
        return "is not known to work here: page walks that may write need Xen "
               "4.20 and a CPU that Xen does not tell of; leave :walks out";
    if (spec->last - spec->first >= UINT32_MAX)
        return "has too many pages; give a smaller range";
    if (spec->last <= last)
        return NULL;
    snprintf(text, text_len, "goes beyond the guest's last frame, 0x%llx",
             (unsigned long long)last);
    return text;
}

/* As that, of what specs[0] to specs[i] come to together. */
static inline const char *frames_refuse_sum(const struct vmring_spec *specs,
                                            unsigned int i)
{
    uint64_t frames = 0;

    if (specs[i].reason != XEN_VM_RING_REASON_MEM_ACCESS)
        return NULL;
    for (unsigned int k = 0; k <= i; k++) {
        if (specs[k].reason == XEN_VM_RING_REASON_MEM_ACCESS)
            frames += specs[k].last - specs[k].first + 1;
    }
    return frames <= FRAMES_MAX ? NULL
                                : "makes more than 16777216 frames together; "
                                  "give smaller ranges";
}

/* Are faults of page walks to be left out?  Unless a spec wants them. */
static inline bool frames_suppress_walks(const struct vmring_spec *specs,
                                         unsigned int nr)
{
    bool suppress = false;

    for (unsigned int i = 0; i < nr; i++) {
        if (specs[i].reason != XEN_VM_RING_REASON_MEM_ACCESS)
            continue;
        if (specs[i].flags & VMRING_SPEC_FAULTS)
            return false;
        suppress = true;
    }
    return suppress;
}

#endif /* VMRING_BASE_FRAMES_H */
