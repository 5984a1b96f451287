/* SPDX-License-Identifier: MIT */
/*
 * unshared.h: which references were given back to the kernel and have not
 * been given to us again since: those that the other domain still maps, and
 * those that others have (grant_share_unshared() says why it is asked).
 */
#ifndef VMRING_TRANSPORT_GRANT_UNSHARED_H
#define VMRING_TRANSPORT_GRANT_UNSHARED_H

#include <stddef.h>
#include <stdint.h>
#include <xengnttab.h>

#define GRANT_UNSHARED_REFS                                                    \
    (1U << 20) /* of Linux with gnttab_max_frames=2048 */

struct grant_unshared {
    unsigned char is[GRANT_UNSHARED_REFS / 8]; /* a bit for each reference */
    size_t nr;                                 /* bits that are set */
};

/* The kernel had them back: it gives them to us. */
void grant_unshared_took(struct grant_unshared *owed, const uint32_t *refs,
                         uint32_t nr);
void grant_unshared_gave(struct grant_unshared *owed, const uint32_t *refs,
                         uint32_t nr);
/*
 * Which of the owed references does the kernel give now?  As many as `nr` are
 * shared for a moment, with nobody; `refs` has room for them.
 */
void grant_unshared_ask(struct grant_unshared *owed, xengntshr_handle *gntshr,
                        uint32_t *refs, uint32_t nr);

#endif /* VMRING_TRANSPORT_GRANT_UNSHARED_H */
