/* SPDX-License-Identifier: MIT */
/*
 * attack_victim.h: the library's real consumer in a process of its own, which
 * says what comes of it, and a producer by hand that can do anything to it.
 */
#ifndef VMRING_TESTS_ATTACK_VICTIM_H
#define VMRING_TESTS_ATTACK_VICTIM_H

#include "core/producer.h"
#include "transport/region.h"
#include "wired.h"

#define V_VCPUS 3

/* Shared; the victim writes all but what is said. */
struct victim {
    char path[96]; /* ours, both of these: */
    volatile int lies, quit, timeout_ms;
    volatile uint32_t policy; /* to ask for */
    volatile int subscribes;  /* ours: after so many calls it asks, once */
    volatile unsigned long calls, events, sessions, rejected;
    volatile int asked;     /* what vmring_subscribe() came back with; 1: no */
    volatile int end;       /* of the last session: 0 while it lasts */
    volatile int open_end;  /* what vmring_open() came back with last */
    volatile int fds, maps; /* between sessions */
    volatile unsigned int violations;
};

/* One session of it, and the two regions. */
struct evil {
    struct victim *v;
    int listener, control;
    unsigned int nr_bells;
    int bells[XEN_VM_RING_MAX_GROUPS];
    struct vmr_geometry geo;
    struct region p, c;
    struct vmr_producer tx; /* the real one, for what is not attacked */
    void *memory;
    unsigned int number, seed;
    /* For the next session: */
    uint32_t policy;
    bool unsealed;                            /* of P only its size is sealed */
    void (*before_answer)(struct evil *evil); /* when P is laid out */
    unsigned int nr_before;
    struct region before[XEN_VM_RING_MAX_PREV];
};

/* A claim of these tests; counted, as the other process goes on. */
#define CLAIM(v, cond, ...)                                                    \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s: ", __FILE__, __LINE__, #cond); \
            fprintf(stderr, __VA_ARGS__);                                      \
            fputc('\n', stderr);                                               \
            __atomic_fetch_add(&(v)->violations, 1, __ATOMIC_RELAXED);         \
        }                                                                      \
    } while (0)

/* Listens, and starts the victim. */
pid_t victim_start(struct evil *evil);
/* Ends it in order; violations. */
unsigned int victim_end(struct evil *evil, pid_t pid);

/* Takes its next connection and answers with regions and doorbells. */
void evil_attach(struct evil *evil);
void evil_hang_up(struct evil *evil);
/* Requests and records as they should be; answers are taken. */
void evil_traffic(struct evil *evil, unsigned int rounds);

/* Rings for every group. */
void evil_ring(struct evil *evil);

/* It comes back from so many calls, or its session is over. */
void victim_goes_on(struct evil *evil, unsigned int calls);
/* Waits for the session's end, and says which. */
int victim_ends(struct evil *evil);
/* Calls `fn` again and again while it goes on. */
void evil_again(struct evil *evil, void (*fn)(struct evil *evil),
                unsigned int calls);

#define GOES_ON 0 /* the session */
#define ANYHOW  1 /* goes on, or has ended with -EPROTO */

/* One act of a hostile producer, and what must come of it. */
struct act {
    const char *name;
    void (*before)(struct evil *e); /* the answer */
    void (*once)(struct evil *e);
    void (*again)(struct evil *e);
    int end;   /* of the session */
    int asked; /* of vmring_subscribe() */
    unsigned int policy;
    bool unsealed;
};

/* Each act in a session of its own; an exit status. */
int victim_meets(const struct act *acts, size_t nr, bool verbose);

#endif /* VMRING_TESTS_ATTACK_VICTIM_H */
