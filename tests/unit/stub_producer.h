/* SPDX-License-Identifier: MIT */
/*
 * stub_producer.h: stands in for the library's producer where a test is
 * about what the simulated guest raises, not about how it is delivered.
 */
#ifndef VMRING_TESTS_STUB_PRODUCER_H
#define VMRING_TESTS_STUB_PRODUCER_H

#include "vmring.h"

struct stub_event {
    struct xen_vm_ring_event event;
    uint64_t cookie;
    int sync;
};

struct vmring_producer {
    struct stub_event *events; /* all there were, in order */
    unsigned int nr, room;
    unsigned int flushes;
    unsigned int state;
};

/* Arms `events` in a simulated guest; the results must be `armed`. */
struct sim;
void stub_arm(struct sim *sim, const char *events);

/* The verdict on event i, with these flags; registers as in the request. */
void stub_answer(struct sim *sim, const struct vmring_producer *producer,
                 unsigned int i, uint32_t flags);

/* Runs it to its end, each request answered without flags; frees nothing. */
void stub_run_to_end(struct sim *sim, struct vmring_producer *producer);

void stub_free(struct vmring_producer *producer);

#endif /* VMRING_TESTS_STUB_PRODUCER_H */
