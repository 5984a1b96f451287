/* SPDX-License-Identifier: MIT */
/*
 * source.h: a process that produces events and knows what became of each,
 * and what consumers saw, in memory that outlives all of them.
 */
#ifndef VMRING_TESTS_SOURCE_H
#define VMRING_TESTS_SOURCE_H

#include <stdbool.h>
#include <sys/types.h>

#include "unit/check.h"
#include "vmring.h"

#define VCPUS      4
#define MAX_EVENTS (1 << 19) /* of a vCPU, of either kind */

#define SEEN_TIMES    0x3f /* how often it was handed out */
#define SEEN_UNMARKED 0x40 /* again, and not marked as such */
#define PUBLISHED     0x80 /* the ring had room */

/* All of it is shared; each word has one writer at a time. */
struct scene {
    char folder[64], path[96]; /* of the socket */
    volatile int ready;        /* it serves */
    volatile int stop;         /* no new events */
    volatile int hold;         /* raise only what this lets: see raise_some */
    volatile int done;         /* each request has its verdict */
    volatile int settled;      /* consumer: what came before is drained */
    volatile int attached;     /* consumer: has opened the ring */
    volatile int failed;       /* consumer: an error that is none */
    int deadline_ms;
    int paced; /* raise a few, then pause for a millisecond */

    /* The producer's own count, by vCPU; numbers go from 1. */
    unsigned int raised[VCPUS], pushed[VCPUS];
    unsigned char verdicts[VCPUS][MAX_EVENTS]; /* of each request */
    unsigned long by[8];
    unsigned int mistaken; /* verdicts that were another request's */
    struct vmring_producer_stats stats;

    unsigned char requests[VCPUS][MAX_EVENTS]; /* as consumers saw them */
    unsigned char records[VCPUS][MAX_EVENTS];
    unsigned long lost_before[VCPUS];
};

/* A scene whose producer serves already. */
struct scene *scene_make(int deadline_ms, int paced, pid_t *producer);
void scene_drop(struct scene *scene);

/* Waits for *word to be true; check failure after 20 seconds. */
void wait_for(volatile int *word, const char *what);
void sleep_us(unsigned int us);
unsigned long now_us(void);

/* What a consumer does about the requests it takes. */
enum { ANSWER, TAKE_ONLY };

/*
 * A consumer's process: it notes what it sees, until the producer ends; exit
 * status 0 if vmring_next() ended with `end`.
 */
pid_t consumer_start(struct scene *scene, const struct vmring_opts *opts,
                     int what, int end);

/* The child's wait status; check failure if it has not ended in 20 s. */
int reap(pid_t pid);

/* Every request has exactly one verdict; handed out twice only if marked. */
void check_requests(const struct scene *scene);
/* Every record was handed out or refused; twice only if marked. */
void check_records(const struct scene *scene);

#endif /* VMRING_TESTS_SOURCE_H */
