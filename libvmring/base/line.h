/* SPDX-License-Identifier: MIT */
/* line.h: memory for what has cache lines of its own. */
#ifndef VMRING_BASE_LINE_H
#define VMRING_BASE_LINE_H

#include <stdlib.h>
#include <string.h>

#include <xen/vm_ring.h>

/* Zeroed, from a line of its own on; free() takes it.  NULL: no memory. */
static inline void *line_alloc(size_t len)
{
    size_t whole = (len + XEN_VM_RING_LINE - 1) & ~(XEN_VM_RING_LINE - 1ULL);
    void *at = aligned_alloc(XEN_VM_RING_LINE, whole);

    return at ? memset(at, 0, whole) : NULL;
}

#endif /* VMRING_BASE_LINE_H */
