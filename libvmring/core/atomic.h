/* SPDX-License-Identifier: MIT */
/*
 * atomic.h: every atomic access of the project.
 *
 * Names say the ordering; each call site names its partner.  A relaxed
 * access is still one whole access: a peer that changes the word meanwhile
 * cannot make us see two values of it.
 *
 * On memory that a peer can write, the read-modify-writes must not be loops
 * that the peer can keep from ending.  x86 has single instructions; arm64
 * has them with LSE; otherwise the loop is bounded and its failure is
 * reported, for the caller to fault the peer.
 */
#ifndef VMRING_CORE_ATOMIC_H
#define VMRING_CORE_ATOMIC_H

#include "platform.h"

/* A machine word that may alias whatever is copied by it. */
typedef uintptr_t __attribute__((__may_alias__)) vmr_word;

static inline uint64_t vmr_load_relaxed(const xen_vm_ring_u64 *p)
{
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline uint64_t vmr_load_acquire(const xen_vm_ring_u64 *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void vmr_store_relaxed(xen_vm_ring_u64 *p, uint64_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline void vmr_store_release(xen_vm_ring_u64 *p, uint64_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static inline uint32_t vmr_load_relaxed32(const uint32_t *p)
{
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline uint32_t vmr_load_acquire32(const uint32_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void vmr_store_relaxed32(uint32_t *p, uint32_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline void vmr_store_release32(uint32_t *p, uint32_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

#if defined(__SANITIZE_THREAD__)
#define VMR_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VMR_TSAN 1
#endif
#endif

/*
 * ThreadSanitizer does not model fences (gcc refuses them).  Payload words
 * are relaxed atomics, so it has no race to report without them either; the
 * hardware still gets the barrier.
 */
#ifdef VMR_TSAN
#define VMR_FENCE(order) __sync_synchronize()
#else
#define VMR_FENCE(order) __atomic_thread_fence(order)
#endif

static inline void vmr_fence_acquire(void)
{
    VMR_FENCE(__ATOMIC_ACQUIRE);
}

static inline void vmr_fence_release(void)
{
    VMR_FENCE(__ATOMIC_RELEASE);
}

static inline void vmr_fence_full(void)
{
    VMR_FENCE(__ATOMIC_SEQ_CST);
}

/*
 * A counter with several writers, all of them on our side and in our memory:
 * no peer can make it repeat.
 */
static inline uint64_t vmr_add_relaxed(xen_vm_ring_u64 *p, uint64_t v)
{
    return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}

/* Of our memory and written by one thread, for others to read as it is. */
static inline void vmr_store_count(xen_vm_ring_u64 *p, xen_vm_ring_u64 v)
{
    __atomic_store(p, &v, __ATOMIC_RELAXED);
}

/* A lock with one try, for the producers of a shared lane. */
static inline bool vmr_trylock(uint32_t *lock)
{
    return __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) == 0;
}

static inline void vmr_unlock(uint32_t *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

/*
 * OR and exchange are relaxed: what the bits and armed words stand for is
 * ordered by the full barriers around them (docs/ABI.md, D1, D2).
 */
#if defined(__aarch64__) && !defined(__ARM_FEATURE_ATOMICS)

#define VMR_RMW_CAN_FAIL 1
#ifndef VMR_RMW_TRIES /* a test has fewer */
#define VMR_RMW_TRIES 128
#endif

/*
 * ORs `bits` into *p.  false: others kept us from it, by writing anything that
 * is as near to it as the CPU watches at once, which may be 2 KiB.
 */
static inline bool vmr_or(xen_vm_ring_u64 *p, uint64_t bits)
{
    for (int i = 0; i < VMR_RMW_TRIES; i++) {
        uint64_t old;
        uint32_t failed;

        __asm__ volatile("ldxr %0, %2\n\t"
                         "orr %0, %0, %3\n\t"
                         "stxr %w1, %0, %2"
                         : "=&r"(old), "=&r"(failed), "+Q"(*p)
                         : "r"(bits)
                         : "memory");
        if (!failed)
            return true;
    }
    return false;
}

/* Swaps `v` with *p.  false: as vmr_or(). */
static inline bool vmr_exchange(xen_vm_ring_u64 *p, uint64_t v, uint64_t *old)
{
    for (int i = 0; i < VMR_RMW_TRIES; i++) {
        uint32_t failed;

        __asm__ volatile("ldxr %0, %2\n\t"
                         "stxr %w1, %3, %2"
                         : "=&r"(*old), "=&r"(failed), "+Q"(*p)
                         : "r"(v)
                         : "memory");
        if (!failed)
            return true;
    }
    return false;
}

#elif defined(__i386__)

/*
 * Eight bytes would be a cmpxchg8b loop.  These words are bags of bits (or
 * hold 0 and 1), so their halves can go one after the other.
 */
typedef uint32_t __attribute__((__may_alias__)) vmr_half;

static inline bool vmr_or(xen_vm_ring_u64 *p, uint64_t bits)
{
    vmr_half *half = (vmr_half *)p;

    if ((uint32_t)bits)
        (void)__atomic_or_fetch(&half[0], (uint32_t)bits, __ATOMIC_RELAXED);
    if (bits >> 32)
        (void)__atomic_or_fetch(&half[1], (uint32_t)(bits >> 32),
                                __ATOMIC_RELAXED);
    return true;
}

static inline bool vmr_exchange(xen_vm_ring_u64 *p, uint64_t v, uint64_t *old)
{
    vmr_half *half = (vmr_half *)p;
    uint32_t low, high;

    low = __atomic_exchange_n(&half[0], (uint32_t)v, __ATOMIC_RELAXED);
    high = __atomic_exchange_n(&half[1], (uint32_t)(v >> 32), __ATOMIC_RELAXED);
    *old = (uint64_t)high << 32 | low;
    return true;
}

#else /* x86-64, arm64 with LSE: single instructions */

static inline bool vmr_or(xen_vm_ring_u64 *p, uint64_t bits)
{
    (void)__atomic_fetch_or(p, bits, __ATOMIC_RELAXED);
    return true;
}

static inline bool vmr_exchange(xen_vm_ring_u64 *p, uint64_t v, uint64_t *old)
{
    *old = __atomic_exchange_n(p, v, __ATOMIC_RELAXED);
    return true;
}

#endif

#ifndef VMR_RMW_CAN_FAIL
#define VMR_RMW_CAN_FAIL 0
#endif

/*
 * Copies of a body that a peer may change meanwhile: each word is read, or
 * written, exactly once.  `len` is a multiple of 8, both ends are 8-byte
 * aligned.
 */
#define VMR_LOAD(to, from, i)                                                  \
    ((to)[i] = __atomic_load_n(&(from)[i], __ATOMIC_RELAXED))
#define VMR_STORE(to, from, i)                                                 \
    __atomic_store_n(&(to)[i], (from)[i], __ATOMIC_RELAXED)

/* Eight words at a time: compilers unroll no loop of atomics by themselves. */
#define VMR_COPY_WORDS(copy, to, from, nr)                                     \
    do {                                                                       \
        size_t vmr_i = 0;                                                      \
                                                                               \
        for (; vmr_i < (nr) / 8 * 8; vmr_i += 8) {                             \
            copy(to, from, vmr_i);                                             \
            copy(to, from, vmr_i + 1);                                         \
            copy(to, from, vmr_i + 2);                                         \
            copy(to, from, vmr_i + 3);                                         \
            copy(to, from, vmr_i + 4);                                         \
            copy(to, from, vmr_i + 5);                                         \
            copy(to, from, vmr_i + 6);                                         \
            copy(to, from, vmr_i + 7);                                         \
        }                                                                      \
        if ((nr)&4) {                                                          \
            copy(to, from, vmr_i);                                             \
            copy(to, from, vmr_i + 1);                                         \
            copy(to, from, vmr_i + 2);                                         \
            copy(to, from, vmr_i + 3);                                         \
            vmr_i += 4;                                                        \
        }                                                                      \
        if ((nr)&2) {                                                          \
            copy(to, from, vmr_i);                                             \
            copy(to, from, vmr_i + 1);                                         \
            vmr_i += 2;                                                        \
        }                                                                      \
        if ((nr)&1)                                                            \
            copy(to, from, vmr_i);                                             \
    } while (0)

static inline __attribute__((__always_inline__)) void
vmr_copy_from_shared(void *dst, const void *src, size_t len)
{
    vmr_word *to = dst;
    const vmr_word *from = src;

    VMR_COPY_WORDS(VMR_LOAD, to, from, len / sizeof(*to));
}

static inline __attribute__((__always_inline__)) void
vmr_copy_to_shared(void *dst, const void *src, size_t len)
{
    vmr_word *to = dst;
    const vmr_word *from = src;

    VMR_COPY_WORDS(VMR_STORE, to, from, len / sizeof(*to));
}

#endif /* VMRING_CORE_ATOMIC_H */
