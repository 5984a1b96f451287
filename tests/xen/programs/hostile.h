/* SPDX-License-Identifier: MIT */
/* hostile.h: what the files of vmring-lab-hostile share. */
#ifndef VMRING_LAB_HOSTILE_H
#define VMRING_LAB_HOSTILE_H

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

#include "transport/grant/evtchn.h"
#include "transport/grant/pages.h"
#include "transport/grant/rendezvous.h"

#define BACKEND   0
#define MAX_HELD  64
#define ANSWER_MS 60000

/* What one attach has given; never given back. */
struct held {
    struct rendezvous_agent *meet;
    struct evtchn *bells;
    struct grant_map *map;
    struct link_regions regions;
    struct xen_vm_ring_header header;
    volatile struct xen_vm_ring_life *life;
};

struct hostile {
    const char *target;
    struct held held[MAX_HELD];
    unsigned int nr;
    struct held *now; /* the last; NULL: none */
    uint64_t seed;
    struct xs_handle *xs;
    uint64_t bridge, session, seq; /* of its last request */
    /* Counted. */
    uint64_t passes, answers, rings, writes, removals, forbidden, refused;
};

extern struct hostile me;

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
uint64_t now_ms(void);
uint64_t noise(void);

/* --- hostile_attach.c --- */

/* Waits for the answer, and takes another one for an error. */
int ask(struct rendezvous_agent *meet, uint32_t type, const void *body,
        size_t len, uint32_t expected);
/* What is answered by no message: until it was seen. */
void tell(struct rendezvous_agent *meet, uint32_t type);
/* 0; the reason of a refusal; or -errno. */
int attach(uint64_t len);

/* --- hostile_ring.c: of the last attach --- */

/* Writes to C once more what no consumer would. */
void scribble_once(void);

/* --- hostile_nodes.c --- */

/* A node of the target's; static. */
const char *node(const char *name);
/* What the bridge would take for the session's own. */
bool learn_numbers(void);
/* Writes the node of requests. */
void request(uint64_t bridge, uint64_t session, uint64_t seq, const char *text);
/* Writes or removes a node, by the dice. */
void rewrite_once(void);

#endif /* VMRING_LAB_HOSTILE_H */
