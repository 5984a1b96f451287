/* SPDX-License-Identifier: MIT */
/*
 * shadow.h: the two regions of each epoch, and the words in them that relacy
 * watches.
 *
 * Atomic words: a load may return any older value that the memory model lets
 * it return.  Exclusive words: the rules promise that nobody else is at them
 * meanwhile, and relacy reports a data race where they do not keep that; also
 * where a read could come after the write that it should precede, which no
 * value would show, as relacy runs each load before the stores that follow it.
 *
 * Words of a body that a model does not watch are not copied at all; it has
 * fewer states without them.  A single access must be to a watched word.  What
 * is private to one side (struct vmr_*_tx and _rx) is ordinary memory.
 */
#ifndef VMRING_TESTS_MODEL_SHADOW_H
#define VMRING_TESTS_MODEL_SHADOW_H

#include "shim.h"

#include "core/consumer.h"
#include "core/producer.h"

#define EPOCHS 2

enum kind { ATOMIC, EXCLUSIVE };

/* One epoch's regions and their geometry. */
struct ring {
    struct vmr_geometry geo;
    unsigned char *p, *c;

    struct xen_vm_ring_header *header() const;
    struct xen_vm_ring_lane *lane(uint32_t i) const;
    struct xen_vm_ring_event *record(uint32_t lane, uint64_t slot) const;
    struct xen_vm_ring_cursor *cursor(uint32_t i) const;
    struct xen_vm_ring_event *request(uint32_t vcpu) const;
    struct xen_vm_ring_response *response(uint32_t vcpu) const;
};

/* Before each iteration: nothing is watched. */
void shadow_begin(void);
/* After one: relacy wants its objects destroyed. */
void shadow_end(void);

/* Watches the words of `at` whose bit is set in `mask`; their value is 0. */
void watch(const void *at, enum kind kind, uint64_t mask = 1);

/* The regions of epoch 0 or 1: one group, records of 64 bytes. */
struct ring ring_make(uint32_t epoch, uint32_t nr_vcpus, uint32_t nr_lanes,
                      uint32_t policy, uint32_t slots);
/* Watches a lane's words, and those of its records in `mask` as `kind`. */
void watch_lane(const struct ring &ring, uint32_t lane, enum kind kind,
                uint64_t mask = 0xff);
/* Watches a vCPU's seqs, and what the masks say of the bodies. */
void watch_slot(const struct ring &ring, uint32_t vcpu, uint64_t request_mask,
                uint64_t response_mask);
/* Watches both doorbells' words and the three bitmaps. */
void watch_bells(const struct ring &ring);
void watch_foreign(struct vmr_foreign &foreign);

/* What is done to one call of core/ in this run. */
struct loosening {
    const char *how; /* weaker, acq_rel, drop or split; NULL: nothing */
    const char *file;
    int line;
    unsigned long reached; /* how often the call was made */
};
extern struct loosening loosening;

#endif /* VMRING_TESTS_MODEL_SHADOW_H */
