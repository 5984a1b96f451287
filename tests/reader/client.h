/* SPDX-License-Identifier: MIT */
/*
 * client.h: a consumer of a vm_ring that uses no library: written from
 * docs/ABI.md and docs/BINDING-LOCAL.md alone, with their two headers.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <vmring_local.h>

#define NR_REASONS 17
#define WORDS      (XEN_VM_RING_MAX_VCPUS / 64 + 1)

/* What was taken of one lane or vCPU; the foreign lane is the last. */
struct taken {
    uint64_t requests[NR_REASONS], records[NR_REASONS];
    uint64_t answered, overwritten, drained, reposted;
};

struct lane {
    const unsigned char *line, *records;
    unsigned char *cursor; /* NULL: of a frozen P */
    uint64_t tail, known;
    bool to_head, overrun;
};

struct group {
    unsigned char *block;
    const unsigned char *armed_for_answers; /* in P */
    uint64_t requests[WORDS], lanes[WORDS], given[WORDS];
    uint64_t rung;
};

struct ring {
    struct xen_vm_ring_header header; /* a checked copy */
    const unsigned char *p;
    unsigned char *c;
    struct lane *lanes;
    struct group groups[XEN_VM_RING_MAX_GROUPS];
    uint64_t *taken_seq, *answered_seq; /* by vCPU */
    struct taken *taken;                /* by lane */
    bool denies, broken;
    void (*ring_doorbell)(uint32_t group);
};

/* The control channel, and what came with the answer to the proposal. */
struct channel {
    int control;
    unsigned int nr_fds, first_bell;
    int fds[VMRING_LOCAL_MAX_FDS];
    unsigned char body[VMRING_LOCAL_MAX]; /* of the message heard last */
    bool gone;                            /* the producer has */
};

extern struct channel channel;

_Noreturn void fail(const char *what);
void channel_connect(const char *path);
void channel_say(uint32_t type, const void *what, size_t len);
/* The body's length; -1: none is there, or the producer has gone. */
ssize_t channel_hear(uint32_t *type);
void channel_ring(uint32_t group);
/* Until something is said or rung; -1: without end. */
void channel_sleep(int timeout_ms);

/* Which rule of "The header" it breaks, 1 to 6; 0: none.  Fills `copy`. */
int header_check(struct xen_vm_ring_header *copy, const void *p, uint64_t p_len,
                 uint64_t c_len, bool frozen);

/* Words of each bitmap of a group. */
uint64_t bitmap_words(const struct xen_vm_ring_header *header);
struct lane lane_at(const struct xen_vm_ring_header *header,
                    const unsigned char *p, unsigned char *c, uint32_t number);
/* Some records of a lane; true: there may be more. */
bool pull_some(struct ring *ring, uint32_t number);
/* Which row it counts in: F5. */
unsigned int known_reason(const struct xen_vm_ring_event *event);

/* After header_check(); all bits are set, as nothing was looked at yet. */
void ring_open(struct ring *ring, const void *p, void *c);
void ring_close(struct ring *ring);

/* All unread records of a frozen P.  false: a lane of it is broken. */
bool ring_drain(struct ring *ring, const void *p, uint64_t p_len);

/* One bounded look; true: there was something, or may be more. */
bool ring_look(struct ring *ring);
/* From now on up to what was pushed; all lanes are looked at once more. */
void ring_to_head(struct ring *ring);
/* Nobody has to ring us until then: false, something came meanwhile. */
bool ring_arm(struct ring *ring);
bool ring_has_ended(const struct ring *ring);
/* What the producer lost of a lane, by its words. */
uint64_t ring_lost(const struct ring *ring, uint32_t lane);

#endif /* CLIENT_H */
