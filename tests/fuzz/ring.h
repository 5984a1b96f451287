/* SPDX-License-Identifier: MIT */
/*
 * ring.h: both ends of a ring in one thread, for the harnesses of core/.
 *
 * One end is under test: each of its calls is watched, and its peer moves
 * between its accesses.  The peer starts honest, as the other end of core/;
 * the first arbitrary write into a region makes it hostile, and what only an
 * honest peer guarantees is no longer asked for.
 */
#ifndef VMRING_TESTS_RING_H
#define VMRING_TESTS_RING_H

#include "core/consumer.h"
#include "core/producer.h"
#include "fuzz.h"
#include "watch.h"

#define MAX_EPOCHS  3
#define MAX_MEMBERS 1024 /* vCPUs or lanes that a header can claim here */
#define MAX_MOVES   4

/* Accesses of one request and one record, looked at and copied whole. */
#define EVENT_WORDS (XEN_VM_RING_EVENT_FULL / 8)
#define LOOK_STEPS  (EVENT_WORDS + 2)
#define PULL_STEPS  (EVENT_WORDS + 5)
#define ANSWER_STEPS                                                           \
    (sizeof(struct xen_vm_ring_response) / 8 + 1) /* copied, stored */

enum side { PRODUCER, CONSUMER };

/* The regions of an epoch, between pages that nobody may touch. */
struct area {
    unsigned char *p;             /* the producer's mapping */
    const unsigned char *p_reads; /* the consumer's, read-only */
    unsigned char *c;
};

/* What the peer does once the side under test has made `delay` accesses. */
struct move {
    bool of_stores; /* count none but stores, of which a call makes few */
    uint32_t delay, every, left;
    uint8_t where, how, index, word;
    uint64_t value;
    uint64_t *target; /* in that epoch; NULL: not looked up yet */
    unsigned int epoch;
};

/* The producer's requests, as a list of our own. */
struct queue {
    uint32_t nr;
    uint64_t cookies[VMR_FIFO];
    uint64_t deadlines[VMR_FIFO];
    bool overdue;     /* VMR_OVERDUE was given for the first */
    bool is_kept;     /* the first one's answer was, when its consumer went */
    uint32_t settled; /* the first so many */
};

/* What is known of a vCPU, of the lane of that number, or of both. */
struct member {
    struct queue queue;
    uint64_t attempts; /* pushes of this epoch */
    uint64_t held;     /* the last seq taken, 0: answered */
    uint64_t answered_seq;
    uint64_t next_position;
    uint32_t answered; /* flags of the last answer */
    uint16_t reason;   /* of what was taken last */
    bool sleeps;       /* a vCPU that is marked as asleep */
    uint64_t due_seq;  /* the last that it was told not to sleep on */
    struct xen_vm_ring_response kept;
};

struct ring {
    enum side tested;
    bool honest; /* the peer, so far */
    struct vmr_geometry geo;
    struct area areas[MAX_EPOCHS];
    unsigned int epoch; /* index of the current area */
    struct move moves[MAX_MOVES];
    unsigned int nr_moves;
    uint32_t random;

    /* The producer, and what it was asked to do. */
    struct vmr_producer tx;
    uint64_t now, next_cookie;
    bool c_is_open; /* C may be touched in this call */
    bool quiet;     /* the peer had no move planned for it */
    uint64_t faults;
    bool own;     /* vCPUs pushed for themselves in this epoch */
    bool by_vcpu; /* vCPUs post and collect by themselves: vcpu_calls.c */
    bool tx_sleeps;
    bool deaf[XEN_VM_RING_MAX_GROUPS]; /* by_vcpu: who hears of answers */
    uint32_t tx_armings[XEN_VM_RING_MAX_GROUPS];
    uint32_t tx_rings[XEN_VM_RING_MAX_GROUPS];

    /* The consumer, and what it was given. */
    bool attached; /* it has accepted a header */
    struct vmr_consumer rx;
    void *rx_memory;
    bool faulted[XEN_VM_RING_MAX_GROUPS];
    bool sleeps[XEN_VM_RING_MAX_GROUPS];
    uint32_t armings[XEN_VM_RING_MAX_GROUPS];
    uint32_t rings[XEN_VM_RING_MAX_GROUPS];
    const unsigned char *frozen; /* being drained; NULL: none */

    uint32_t nr_members; /* that were in use, at most; the others are zero */
    struct member members[MAX_MEMBERS];
};

/* So many vCPUs and lanes are claimed from now on. */
void ring_use_members(struct ring *ring, uint32_t nr);

/* A ring of the shape that `preset` names, nobody attached. */
struct ring *ring_make(uint8_t preset, enum side tested);

/* Around each call of one side, which it is free to watch or not. */
void ring_enter(struct ring *ring, enum side side, uint64_t limit);
void ring_leave(struct ring *ring, enum side side);

/* Does what a side sees and stores stay as the rules have it? */
bool ring_is_sound(const struct ring *ring, enum side side);

/* The words of a request (by cookie) or record (by position). */
struct xen_vm_ring_event ring_event(uint32_t reason, uint32_t vcpu,
                                    uint64_t number, bool full);
/* Are they all of one event? */
bool ring_is_whole(const struct xen_vm_ring_event *event, uint32_t vcpu);

uint32_t ring_words(const struct vmr_geometry *geo);
/*
 * Accesses that taking a group's bits out of one bitmap may need.  From eight
 * words on, the eight behind each that is taken are looked at, twice at most.
 */
uint64_t ring_bitmap_steps(const struct vmr_geometry *geo);
struct area *ring_area(struct ring *ring);

/* Between two calls: nobody sleeps who should have been rung. */
void ring_check_sleepers(struct ring *ring);

/* producer_calls.c: one call of the producer, by number; all its checks. */
void producer_act(struct ring *ring, uint8_t what, uint8_t arg);
/* The end: every request gets its one verdict. */
void producer_finish(struct ring *ring);
/* A new epoch; false: there were enough of them. */
bool producer_attach(struct ring *ring);

/* producer_calls.c, for vcpu_calls.c. */
void producer_rung(struct ring *ring, uint64_t groups);
void producer_check_answer(const struct ring *ring,
                           const struct vmr_verdict *verdict, uint64_t seq);
void producer_check_neutral(const struct vmr_verdict *verdict);
void producer_end_epoch(struct ring *ring);
void queue_add(struct queue *queue, const struct vmr_request *request);
void queue_take(struct queue *queue);

/* vcpu_calls.c: calls that take the place of others if ring->by_vcpu. */
bool vcpu_act(struct ring *ring, uint8_t what, uint8_t arg);
void vcpu_post(struct ring *ring, uint32_t vcpu,
               const struct vmr_request *request);
void vcpu_lose_consumer(struct ring *ring);
void vcpu_finish(struct ring *ring);

/* consumer_calls.c: the same of the consumer. */
void consumer_act(struct ring *ring, uint8_t what, uint8_t arg);
void consumer_attach(struct ring *ring);
void consumer_drain_frozen(struct ring *ring, const struct area *area);

/* peer.c: a move of the peer, as the input says; now or later. */
void peer_plan(struct ring *ring, struct input *in);
void peer_turn(struct ring *ring, const void *at, enum shim_kind kind);

#endif /* VMRING_TESTS_RING_H */
