/* SPDX-License-Identifier: MIT */
/*
 * pair.h: a producer and its consumer in one thread: the producer goes on
 * whenever the consumer waits.  For tests with faults.c.
 */
#ifndef VMRING_TESTS_PAIR_H
#define VMRING_TESTS_PAIR_H

#include "faults.h"
#include "vmring.h"

struct pair {
    struct vmring_producer *producer;
    struct vmring *ring; /* NULL: not attached */
    int served;          /* the producer's end of the last connection */
    bool of_domain;      /* by grant:, which takes more than one turn */
};

/* What a pair is made with when a test does not mind: 2 vCPUs. */
struct vmring_producer_opts pair_opts(void);

/* Makes a producer with these; its end of the wait is faults_idle. */
void pair_make(struct pair *pair, const struct vmring_producer_opts *opts);

/* A connection to it, for fd:N. */
int pair_connect(struct pair *pair);

/* A consumer attaches; opts may be NULL. */
void pair_attach(struct pair *pair, const struct vmring_opts *opts);

/* The producer handles what has come; verdicts are thrown away. */
void pair_serve(void);

/* Closes both. */
void pair_end(struct pair *pair);

/* An event of that vCPU, its head alone. */
struct xen_vm_ring_event pair_event(uint32_t reason, uint32_t vcpu);

#endif /* VMRING_TESTS_PAIR_H */
