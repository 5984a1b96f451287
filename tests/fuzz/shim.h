/* SPDX-License-Identifier: MIT */
/*
 * shim.h: put in front of every source (-include) that is fuzzed.  The real
 * core/atomic.h is compiled, but each of its accesses tells the harness
 * first, which counts it, checks it and lets the peer move in between.
 */
#ifndef VMRING_TESTS_SHIM_H
#define VMRING_TESTS_SHIM_H

#include <stddef.h>

enum shim_kind {
    SHIM_LOAD = 1,
    SHIM_STORE = 2,
    SHIM_MODIFY = 3, /* both in one */
};

/* Are accesses watched now?  Stores are always told of. */
extern _Bool shim_watched;

void shim_tell(const volatile void *at, size_t len, enum shim_kind kind);

static inline void shim_access(const volatile void *at, size_t len,
                               enum shim_kind kind)
{
    if (shim_watched || kind != SHIM_LOAD)
        shim_tell(at, len, kind);
}

/* A macro is not expanded within itself: these end in the builtins. */
#define __atomic_load_n(p, order)                                              \
    (shim_access((p), sizeof(*(p)), SHIM_LOAD), __atomic_load_n((p), (order)))
#define __atomic_store_n(p, v, order)                                          \
    (shim_access((p), sizeof(*(p)), SHIM_STORE),                               \
     __atomic_store_n((p), (v), (order)))
#define __atomic_exchange_n(p, v, order)                                       \
    (shim_access((p), sizeof(*(p)), SHIM_MODIFY),                              \
     __atomic_exchange_n((p), (v), (order)))
#define __atomic_fetch_or(p, v, order)                                         \
    (shim_access((p), sizeof(*(p)), SHIM_MODIFY),                              \
     __atomic_fetch_or((p), (v), (order)))
#define __atomic_fetch_add(p, v, order)                                        \
    (shim_access((p), sizeof(*(p)), SHIM_MODIFY),                              \
     __atomic_fetch_add((p), (v), (order)))

#endif /* VMRING_TESTS_SHIM_H */
