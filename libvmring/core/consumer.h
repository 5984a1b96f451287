/* SPDX-License-Identifier: MIT */
/*
 * consumer.h: the consumer's end of a ring.
 *
 * A group is used by one thread; different groups by different threads at
 * the same time.  No call allocates, blocks or loops for the producer.
 */
#ifndef VMRING_CORE_CONSUMER_H
#define VMRING_CORE_CONSUMER_H

#include "doorbell.h"
#include "lane.h"
#include "slot.h"

/* Of a line of its own, as are slots and lanes: each group is a thread's. */
struct vmr_consumer_group {
    struct vmr_bell_rx bell;
    struct vmr_lane_rx *at; /* the lane that a batch is taken of */
    uint64_t from;          /* its tail, less what of a batch was taken */
    uint64_t until;         /* up to there nothing else has to be looked at */
    uint32_t where;         /* its number */
    uint32_t lane;          /* where the round over lanes is */
    uint64_t rejected;      /* requests and records that broke rules */
    bool broken;
} __attribute__((__aligned__(XEN_VM_RING_LINE)));

/* Not written after vmr_consumer_init(): what is, is behind the pointers. */
struct vmr_consumer {
    struct vmr_geometry geo;
    const struct xen_vm_ring_header *header;
    struct vmr_slot_rx *slots;
    struct vmr_lane_rx *lanes;
    uint32_t max_batch; /* of a lane, before others have their turn */
    struct vmr_consumer_group *groups;
    struct vmr_rmws *rmws; /* of all bells; on a line of its own */
};

size_t vmr_consumer_size(const struct vmr_geometry *geo);

/*
 * A consumer of the regions that vmr_geometry_read() has accepted as `geo`.
 * `memory` is the caller's, vmr_consumer_size() long, 8-byte aligned.
 */
void vmr_consumer_init(struct vmr_consumer *consumer,
                       const struct vmr_geometry *geo, void *memory,
                       const void *p, void *c);

enum vmr_next {
    VMR_NEXT_NONE,    /* nothing: arm, then sleep */
    VMR_NEXT_REQUEST, /* event->state is its seq */
    VMR_NEXT_RECORD,  /* event->state is BUSY/DONE of its position */
    VMR_NEXT_AGAIN,   /* the producer was faster: call again */
    VMR_NEXT_BROKEN,  /* the producer broke the protocol; sticky */
};

/*
 * The next event of a group: requests first, then lanes, in turn.  *where is
 * the vCPU or lane.  What breaks one vCPU or lane breaks its group.
 */
enum vmr_next vmr_consumer_next(struct vmr_consumer *consumer, uint32_t group,
                                struct xen_vm_ring_event *event,
                                uint32_t *where);

/* The next request of a group, and no record; *where is its vCPU. */
enum vmr_next vmr_consumer_take(struct vmr_consumer *consumer, uint32_t group,
                                struct xen_vm_ring_event *event,
                                uint32_t *where);

/*
 * Answers the request `seq` of a vCPU.  false: it is no longer posted, its
 * deadline has passed, or it has been answered; nothing was written.  Flush
 * afterwards.
 */
bool vmr_consumer_answer(struct vmr_consumer *consumer, uint32_t vcpu,
                         uint64_t seq,
                         const struct xen_vm_ring_response *response);

/* Has this consumer answered it? */
bool vmr_consumer_is_answered(const struct vmr_consumer *consumer,
                              uint32_t vcpu, uint64_t seq);

/*
 * Tells the producer of the answers.  true: ring its doorbell for `group`.
 * What it is kept from telling is kept for the next flush: while there is any,
 * vmr_consumer_arm() does not let its caller sleep.
 */
bool vmr_consumer_flush(struct vmr_consumer *consumer, uint32_t group);

/* true: sleep, the doorbell will ring; false: there is something already. */
bool vmr_consumer_arm(struct vmr_consumer *consumer, uint32_t group);
void vmr_consumer_disarm(struct vmr_consumer *consumer, uint32_t group);

/*
 * The producer or its target has gone: looks at all of a group again, as the
 * first pass after attach does, and takes what was pushed and not flushed, too.
 */
void vmr_consumer_rescan(struct vmr_consumer *consumer, uint32_t group);

/* Publishes every cursor of a group: nothing that was taken comes again. */
void vmr_consumer_publish(struct vmr_consumer *consumer, uint32_t group);

uint64_t vmr_consumer_target(const struct vmr_consumer *consumer,
                             uint64_t *reason);
uint64_t vmr_consumer_producer_state(const struct vmr_consumer *consumer);

/* What a lane's producer attempted: head + lost. */
void vmr_consumer_lane(const struct vmr_consumer *consumer, uint32_t lane,
                       uint64_t *head, uint64_t *lost);

#endif /* VMRING_CORE_CONSUMER_H */
