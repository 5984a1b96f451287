/* SPDX-License-Identifier: MIT */
/* consumer.h: a consumer's handle, shared by attach.c and consumer.c. */
#ifndef VMRING_CONSUMER_H
#define VMRING_CONSUMER_H

#include "core/consumer.h"
#include "core/producer.h" /* vmr_response_check() */
#include "options.h"
#include "sim/endpoint.h"
#include "transport/transport.h"

/* What has ended; each is another reason to look at everything again. */
enum end { END_NONE, END_TARGET, END_PRODUCER };

struct vmring {
    struct vmr_consumer core;
    void *core_memory;
    struct link *link;
    struct region p, c;
    struct sim_endpoint *sim; /* of a sim: URI */
    struct log log;
    int timeout_ms;
    int epoll; /* the link's descriptor and the poke */
    int poke;  /* an eventfd of our own: come again without a doorbell */
    bool poked;
    char target[WIRE_NAME];

    uint32_t group; /* where the round over groups is */
    uint32_t turn;  /* events of it since it was its turn */
    bool armed;
    bool quiet;         /* the producer has said so */
    enum end rescanned; /* for that everything was looked at again */
    int lost;           /* 0, -ECONNRESET or -EPROTO; sticky */

    /* The target, as the caller was told last. */
    uint32_t told_state, told_reason;
    bool look_at_target; /* events have come for long enough */

    /* Epochs before, frozen, drained before our own records. */
    struct region before[XEN_VM_RING_MAX_PREV];
    unsigned int nr_before;
    unsigned int before_at; /* the one being drained */
    struct vmr_geometry before_geo;
    struct vmr_lane_rx before_lane;
    uint32_t before_next; /* the lane after the one being drained; 0: none */
    uint64_t before_left; /* pulls left to that lane */
    uint64_t before_lost; /* its lost word, as of the last record pulled */

    struct vmring_stats stats;
    struct vmring_count *counts; /* taken and pulled, by lane and reason */
    uint32_t *lost_seen;         /* by lane: the lost word of the last record */
};

/* A control message that was not asked for. */
void consumer_message(struct vmring *ring, uint32_t type);

/*
 * The producer has broken the protocol (-EPROTO), or counts as gone (any
 * other error).  Returns -EPROTO or -ECONNRESET, from now on sticky.
 */
int consumer_lose(struct vmring *ring, int err);

#endif /* VMRING_CONSUMER_H */
