/* SPDX-License-Identifier: MIT */
/*
 * guard.h: pages that a peer can take away.
 *
 * A memfd keeps its length by its seals, not its pages: a peer that may
 * write it punches holes, and a hole that cannot be filled again, for want of
 * memory, raises SIGBUS when it is touched.  What is guarded then gets pages of
 * zeros instead, and is broken: vmring_survive_sigbus().
 */
#ifndef VMRING_TRANSPORT_GUARD_H
#define VMRING_TRANSPORT_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include <xen/vm_ring.h>

struct guard;

/* NULL: there are as many as there can be, and this one is none of them. */
struct guard *guard_memory(void *at, size_t len);

/* Before it is unmapped.  NULL is fine. */
void guard_end(struct guard *guard);

/* It was taken away, by now.  NULL is not. */
bool guard_is_broken(const struct guard *guard);

#endif /* VMRING_TRANSPORT_GUARD_H */
