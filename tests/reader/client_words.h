/* SPDX-License-Identifier: MIT */
/* client_words.h: words of shared memory as docs/ABI.md speaks of them, for
 * both ends. */
#ifndef CLIENT_WORDS_H
#define CLIENT_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t ld(const void *at)
{
    return __atomic_load_n((const uint64_t *)at, __ATOMIC_RELAXED);
}

static inline uint64_t ld_acq(const void *at)
{
    return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
}

static inline void st(void *at, uint64_t value)
{
    __atomic_store_n((uint64_t *)at, value, __ATOMIC_RELAXED);
}

static inline void st_rel(void *at, uint64_t value)
{
    __atomic_store_n((uint64_t *)at, value, __ATOMIC_RELEASE);
}

static inline uint64_t exchange(void *at, uint64_t value)
{
    return __atomic_exchange_n((uint64_t *)at, value, __ATOMIC_RELAXED);
}

static inline void full_barrier(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void copy_from(void *to, const void *from, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = ld((const unsigned char *)from + i);

        memcpy((unsigned char *)to + i, &word, 8);
    }
}

static inline void copy_to(void *to, const void *from, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word;

        memcpy(&word, (const unsigned char *)from + i, 8);
        st((unsigned char *)to + i, word);
    }
}

#endif /* CLIENT_WORDS_H */
