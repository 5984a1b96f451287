/* SPDX-License-Identifier: MIT */
/*
 * instants.h: between any two accesses of core/ to what is shared, something
 * else happens.  A test includes this, then the core source that it looks
 * into: its own copy of that source calls `at_instant` before each access and
 * after each store, as another CPU, or the end of the process, could come in
 * between.  What `at_instant` itself does is not interrupted.
 */
#ifndef VMRING_TESTS_INSTANTS_H
#define VMRING_TESTS_INSTANTS_H

#include "core/atomic.h"

static void (*at_instant)(void);

static void instant(void)
{
    static bool within;

    if (within || !at_instant)
        return;
    within = true;
    at_instant();
    within = false;
}

#define INSTANTLY(access)                                                      \
    __extension__({                                                            \
        __auto_type value_ = (instant(), (access));                            \
        instant();                                                             \
        value_;                                                                \
    })

#define vmr_load_relaxed(p)             INSTANTLY(vmr_load_relaxed(p))
#define vmr_load_acquire(p)             INSTANTLY(vmr_load_acquire(p))
#define vmr_store_relaxed(p, v)         (vmr_store_relaxed(p, v), instant())
#define vmr_store_release(p, v)         (vmr_store_release(p, v), instant())
#define vmr_exchange(p, v, old)         INSTANTLY(vmr_exchange(p, v, old))
#define vmr_or(p, bits)                 INSTANTLY(vmr_or(p, bits))
#define vmr_copy_to_shared(d, s, len)   copy_slowly(d, s, len, true)
#define vmr_copy_from_shared(d, s, len) copy_slowly(d, s, len, false)

/* A word at a time. */
static inline void copy_slowly(void *dst, const void *src, size_t len, bool to)
{
    unsigned char *at = dst;
    const unsigned char *from = src;

    for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
        if (to)
            (vmr_copy_to_shared)(at + i, from + i, sizeof(uint64_t));
        else
            (vmr_copy_from_shared)(at + i, from + i, sizeof(uint64_t));
        instant();
    }
}

#endif /* VMRING_TESTS_INSTANTS_H */
