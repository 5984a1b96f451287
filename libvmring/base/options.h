/* SPDX-License-Identifier: MIT */
/* options.h: structures that start with their size. */
#ifndef VMRING_BASE_OPTIONS_H
#define VMRING_BASE_OPTIONS_H

#include <stddef.h>

/*
 * Copies a caller's sized structure into ours of `size` bytes: what the
 * caller does not know is zero, what we do not know must be.  Both start with
 * a size_t.  -EINVAL: no size, or none that was set; -E2BIG: an unknown tail
 * that is not zero.
 */
int options_copy(void *ours, size_t size, const void *theirs);

/* Fills a caller's sized structure, as far as it has room.  -EINVAL. */
int options_fill(void *theirs, const void *ours, size_t size);

#endif /* VMRING_BASE_OPTIONS_H */
