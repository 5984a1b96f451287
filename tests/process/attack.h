/* SPDX-License-Identifier: MIT */
/*
 * attack.h: a consumer by hand, on the real producer of a source that raises
 * events all the time, and what must hold after each thing that it does.
 */
#ifndef VMRING_TESTS_ATTACK_H
#define VMRING_TESTS_ATTACK_H

#include "core/consumer.h"
#include "wired.h"
#include "witness.h"

/* An attached consumer, by hand: all that it was given. */
struct hostile {
    struct witness *w;
    int control, p_fd, c_fd;
    unsigned int nr_bells;
    int bells[XEN_VM_RING_MAX_GROUPS];
    const unsigned char *p;
    unsigned char *c;
    struct xen_vm_ring_accept accept;
    struct vmr_geometry geo;
    struct vmr_consumer rx; /* the real one, for what it does not attack */
    void *memory;
    unsigned int seed;
};

/* What the producer must make of an attack. */
#define FAULTS    0x1  /* lane_faults grows */
#define NO_FAULT  0x2  /* it does not */
#define IGNORED   0x4  /* ignored grows */
#define HANGS_UP  0x8  /* the session is ended */
#define NO_ANSWER 0x10 /* no verdict is by the consumer */

struct attack {
    const char *name;
    void (*once)(struct hostile *h);
    void (*again)(struct hostile *h); /* by a thread, as fast as it goes */
    unsigned int expects;
    uint32_t policy;
};

/* A source whose consumers are hostile; deadline 5 ms, may be denied. */
struct witness *attack_scene(pid_t *source);
/* Ends it and checks all notes; the number of violations. */
unsigned int attack_end(struct witness *w, pid_t source);

/* Attaches; frozen Ps are checked against the source's notes, and dropped. */
void hostile_attach(struct hostile *h, struct witness *w, uint32_t policy);
void hostile_leave(struct hostile *h);
/* Takes some events as one should, and answers. */
void hostile_traffic(struct hostile *h, unsigned int events);

/* The source turns, raises and dispatches on: so many times. */
void goes_on(struct witness *w, unsigned int turns);
/* Asks the source what it has: stats, descriptors, mappings. */
void probe(struct witness *w);
/* Calls `fn` again and again while the source turns. */
void while_again(struct hostile *h, void (*fn)(struct hostile *h),
                 unsigned int turns);
/* A consumer that keeps the rules is served. */
void check_alive(struct witness *w, const char *after);
/* And when it has gone nothing is left of those before: as the first time. */
void check_after(struct witness *w, const char *after);

/* One attack: attaches, attacks, checks what must hold, leaves, checks. */
void attack_perform(struct witness *w, const struct attack *attack);

#endif /* VMRING_TESTS_ATTACK_H */
