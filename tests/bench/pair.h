/* SPDX-License-Identifier: MIT */
/*
 * pair.h: both ends of a ring, in memory that two processes share; each side
 * uses its own half alone.
 */
#ifndef VMRING_BENCH_PAIR_H
#define VMRING_BENCH_PAIR_H

#include "core/consumer.h"
#include "core/producer.h"

struct pair {
    struct vmr_producer tx __attribute__((__aligned__(128)));
    struct vmr_consumer rx __attribute__((__aligned__(128)));
    struct vmr_geometry geo __attribute__((__aligned__(128)));
    unsigned char *p, *c;
    void *tx_memory, *rx_memory;
};

struct pair_plan {
    uint32_t nr_vcpus, policy, record_len, verdicts;
    uint64_t async_len;
};

/* Attached, nothing in it.  NULL: no memory, or no such geometry. */
struct pair *pair_make(const struct pair_plan *plan);
void pair_end(struct pair *pair);

#endif /* VMRING_BENCH_PAIR_H */
