/* SPDX-License-Identifier: MIT */
/* clock.h: the one clock that all limits of time are measured by. */
#ifndef VMRING_BASE_CLOCK_H
#define VMRING_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Signed, as what is left until a time may be over. */
static inline int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif /* VMRING_BASE_CLOCK_H */
