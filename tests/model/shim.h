/* SPDX-License-Identifier: MIT */
/*
 * shim.h: stands in for libvmring/core/atomic.h.
 *
 * The files of core/ are compiled as they are, as C++, with this header in
 * front; it takes the guard of atomic.h, so that their own #include of it adds
 * nothing.  The same functions then go to words that relacy knows (shadow.h).
 * Each call tells where it stands, so that one ordering can be loosened in a
 * run without compiling anything again.
 */
#ifndef VMRING_CORE_ATOMIC_H
#define VMRING_CORE_ATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/vm_ring.h>

/* A call in core/. */
struct site {
    const char *file, *function;
    int line;
};

enum order { RELAXED, ACQUIRE, RELEASE, FULL };

uint64_t shadow_load(const void *at, order, const site &);
void shadow_store(void *at, uint64_t v, order, const site &);
uint64_t shadow_exchange(void *at, uint64_t v, order, const site &);
void shadow_or(void *at, uint64_t bits, const site &);
uint64_t shadow_add(void *at, uint64_t v, const site &);
void shadow_fence(order, const site &);
void shadow_copy_from(void *to, const void *from, size_t len, const site &);
void shadow_copy_to(void *to, const void *from, size_t len, const site &);

/* The caller's place, as default arguments see it. */
#define CALLER                                                                 \
    const char *file = __builtin_FILE(), int line = __builtin_LINE(),          \
               const char *function = __builtin_FUNCTION()
#define HERE (site{file, function, line})

static inline uint64_t vmr_load_relaxed(const xen_vm_ring_u64 *p, CALLER)
{
    return shadow_load(p, RELAXED, HERE);
}

static inline uint64_t vmr_load_acquire(const xen_vm_ring_u64 *p, CALLER)
{
    return shadow_load(p, ACQUIRE, HERE);
}

static inline void vmr_store_relaxed(xen_vm_ring_u64 *p, uint64_t v, CALLER)
{
    shadow_store(p, v, RELAXED, HERE);
}

static inline void vmr_store_release(xen_vm_ring_u64 *p, uint64_t v, CALLER)
{
    shadow_store(p, v, RELEASE, HERE);
}

static inline void vmr_fence_acquire(CALLER)
{
    shadow_fence(ACQUIRE, HERE);
}

static inline void vmr_fence_release(CALLER)
{
    shadow_fence(RELEASE, HERE);
}

static inline void vmr_fence_full(CALLER)
{
    shadow_fence(FULL, HERE);
}

static inline uint32_t vmr_load_acquire32(const uint32_t *p, CALLER)
{
    return (uint32_t)shadow_load(p, ACQUIRE, HERE);
}

static inline uint32_t vmr_load_relaxed32(const uint32_t *p, CALLER)
{
    return (uint32_t)shadow_load(p, RELAXED, HERE);
}

static inline void vmr_store_relaxed32(uint32_t *p, uint32_t v, CALLER)
{
    shadow_store(p, v, RELAXED, HERE);
}

static inline void vmr_store_release32(uint32_t *p, uint32_t v, CALLER)
{
    shadow_store(p, v, RELEASE, HERE);
}

static inline uint64_t vmr_add_relaxed(xen_vm_ring_u64 *p, uint64_t v, CALLER)
{
    return shadow_add(p, v, HERE);
}

/* Of no interest here: nobody else goes by it. */
static inline void vmr_store_count(xen_vm_ring_u64 *p, uint64_t v)
{
    *p = v;
}

/* As where an OR is one instruction. */
#define VMR_RMW_CAN_FAIL 0

static inline bool vmr_trylock(uint32_t *lock, CALLER)
{
    return shadow_exchange(lock, 1, ACQUIRE, HERE) == 0;
}

static inline void vmr_unlock(uint32_t *lock, CALLER)
{
    shadow_store(lock, 0, RELEASE, HERE);
}

static inline bool vmr_or(xen_vm_ring_u64 *p, uint64_t bits, CALLER)
{
    shadow_or(p, bits, HERE);
    return true;
}

static inline bool vmr_exchange(xen_vm_ring_u64 *p, uint64_t v, uint64_t *old,
                                CALLER)
{
    *old = shadow_exchange(p, v, RELAXED, HERE);
    return true;
}

static inline void vmr_copy_from_shared(void *dst, const void *src, size_t len,
                                        CALLER)
{
    shadow_copy_from(dst, src, len, HERE);
}

static inline void vmr_copy_to_shared(void *dst, const void *src, size_t len,
                                      CALLER)
{
    shadow_copy_to(dst, src, len, HERE);
}

#undef CALLER
#undef HERE

#endif /* VMRING_CORE_ATOMIC_H */
