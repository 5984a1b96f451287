/* SPDX-License-Identifier: MIT */
/*
 * witness.h: what each process did, by its own account, in memory that
 * survives all of them.
 *
 * A source (a producer's process) notes each event before it raises it and
 * after; a consumer notes what it was handed before it asks for more.  What
 * is checked here is checked against these notes: nothing of them is read
 * from the ring.  An event carries its number, from 1 by vCPU and kind, in
 * every word of its body.
 */
#ifndef VMRING_TESTS_WITNESS_H
#define VMRING_TESTS_WITNESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "unit/check.h"
#include "vmring.h"

#define W_VCPUS    3
#define W_EVENTS   (1u << 17) /* of a vCPU, of either kind */
#define W_EPOCHS   4096 /* of one source; the same for consumers' sessions */
#define W_DEADLINE (300ULL * 1000000000) /* one that never comes */

/* Where a consumer is. */
enum phase {
    P_STARTED,
    P_ATTACHING,
    P_DRAINING, /* frozen Ps */
    P_REQUEST,  /* holds one, not answered yet */
    P_ANSWERED,
    P_RECORD,
    P_ASLEEP,
    P_DETACHING,
    P_DETACHED,
    NR_PHASES
};

/* Notes on one event; a consumer's bits are set before it goes on. */
#define SEEN      0x01 /* handed out */
#define UNMARKED  0x02 /* again, and not flagged REPOSTED */
#define UNCAUSED  0x04 /* again, though whoever had it did not crash */
#define TOLD_LOST 0x08 /* a consumer was told of its loss */
#define GIVING    0x10 /* request: an answer is being given */
#define GIVEN     0x20 /* request: vmring_respond() has taken it */
#define PUBLISHED 0x40 /* source: vmring_producer_push() said so */

struct w_vcpu {
    volatile unsigned int raised, posted; /* requests: before, after */
    volatile unsigned int pushed, done;   /* records: before, after */
    unsigned char verdicts[W_EVENTS], overdue[W_EVENTS];
    unsigned char requests[W_EVENTS], records[W_EVENTS];
    uint16_t request_by[W_EVENTS], record_by[W_EVENTS]; /* session */
};

/* Doorbells of an epoch, each counted before it is armed, after it is rung. */
struct w_bells {
    unsigned long armed, rung;
};

struct witness {
    char folder[64], path[96];

    /* Set before anything starts. */
    uint64_t deadline; /* ns */
    uint32_t verdicts, policy;
    bool pause;    /* past the deadline the target is paused */
    bool hostile;  /* consumers may give any answer, and lose records */
    bool lockstep; /* nothing is raised until all before is done with */
    unsigned int seed;

    volatile int ready, stop, hold, held, finished;
    volatile unsigned int violations; /* anybody's */

    /* The source. */
    volatile unsigned long turns, rounds;
    volatile unsigned int epochs;
    unsigned int base[W_EPOCHS][W_VCPUS]; /* pushed when an epoch began */
    unsigned long by[8];
    unsigned long given_up[W_VCPUS];
    struct vmring_producer_stats stats;
    struct w_bells to_consumer[W_EPOCHS], to_source[W_EPOCHS];
    /* What it has, once asked by `probe`; and stats. */
    volatile int probe, fds, maps, attached;
    volatile unsigned int pending;

    /* Consumers. */
    volatile int phase, settled;
    volatile unsigned int sessions;
    volatile unsigned char left[W_EPOCHS]; /* vmring_close() came back */
    unsigned long drained, reposted, twice, frozen_checked;

    struct w_vcpu vcpu[W_VCPUS];
};

/* A claim of this test: what does not hold is printed, and counted. */
#define WITNESS(w, cond, ...)                                                  \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s: ", __FILE__, __LINE__, #cond); \
            fprintf(stderr, __VA_ARGS__);                                      \
            fputc('\n', stderr);                                               \
            __atomic_fetch_add(&(w)->violations, 1, __ATOMIC_RELAXED);         \
        }                                                                      \
    } while (0)

/* witness.c */
struct witness *witness_make(void);
void witness_drop(struct witness *w);
uint64_t now_ns(void);
void sleep_ns(uint64_t ns);
unsigned int roll(unsigned int *seed, unsigned int below);
/* Waits for *word, 30 s at most; false then, and a violation. */
bool wait_true(struct witness *w, volatile int *word, const char *what);
/* The child's wait status; a violation, and SIGKILL, after 30 s. */
int reap(struct witness *w, pid_t pid);
int open_descriptors(void);
int mapped_regions(void);

/* witness_source.c */
pid_t source_start(struct witness *w);
struct xen_vm_ring_event witness_event(unsigned int reason, unsigned int vcpu,
                                       unsigned int number);
/* Is every word of it what that number's event has? */
bool witness_is_whole(const struct xen_vm_ring_event *event,
                      unsigned int number);

/* witness_consumer.c */
struct conduct {
    unsigned int seed;
    bool mute;          /* takes requests and answers none */
    unsigned int leave; /* detaches after so many events; 0: never */
    uint32_t nr_groups, record_len;
    uint64_t async_len;
    int stop_in; /* by SIGSTOP, once: in this phase */
    bool last;   /* stays until the target is gone, and checks all of P */
};
pid_t consumer_start(struct witness *w, const struct conduct *conduct);
struct vmring *consumer_open(struct witness *w, const struct conduct *conduct,
                             int *err);
/* Notes what was handed out, and answers; false: nothing is there now. */
bool consumer_turn(struct witness *w, const struct conduct *conduct,
                   struct vmring *ring, int *ret);
/* Opens, takes, leaves; what vmring_next() ended with; 0: left. */
int consumer_session(struct witness *w, const struct conduct *conduct);

/* witness_check.c */
/* head + lost of each lane of a P against what the source attempted. */
void check_region(struct witness *w, const void *p, bool frozen);
/* Everything, once all have ended. */
void check_witness(struct witness *w);

#endif /* VMRING_TESTS_WITNESS_H */
