/* SPDX-License-Identifier: MIT */
/*
 * producer.h: the producer's end of a ring: slots, lanes and doorbells of one
 * target, over any number of epochs.
 *
 * Every call takes a bounded number of steps whatever the consumer writes.
 * No call allocates, blocks or knows a clock.  The caller serialises all of
 * them for one producer, as vCPUs share the bitmaps of what is to be flushed;
 * but for those that end in _own, and a push into the foreign lane: any thread
 * may, at any time, also amid attach, freeze and the end of a sweep; it needs a
 * flush by the thread of the other calls.
 */
#ifndef VMRING_CORE_PRODUCER_H
#define VMRING_CORE_PRODUCER_H

#include "doorbell.h"
#include "lane.h"
#include "slot.h"

#define VMR_NO_DEADLINE UINT64_MAX

/* Response slots that one vmr_producer_collect() looks at, at most. */
#define VMR_COLLECT_LOOKS 64

/* Why a verdict was given; numerically VMRING_BY_* of vmring.h. */
enum vmr_by {
    VMR_BY_CONSUMER = 1,
    VMR_BY_DEADLINE = 2,
    VMR_BY_DETACH = 3,
    VMR_BY_OVERFLOW = 4,
    VMR_OVERDUE = 5,
};

struct vmr_verdict {
    struct vmr_request request;
    struct xen_vm_ring_response response;
    enum vmr_by by;
};

/*
 * What the pushers into the lane of no vCPU share with the thread of the other
 * calls.  Private memory, as all of the producer: none of it is in P.
 */
struct vmr_foreign {
    uint32_t lock; /* its holder may touch the lane; each tries once */
    uint32_t open; /* there is a P that is not frozen */
    xen_vm_ring_u64 contended; /* pushes that found it taken, or not open */
    xen_vm_ring_u64 pushed;    /* into the lane, and shown */
    uint64_t published;        /* of contended, in P; by the lock's holder */
    uint64_t base;             /* of contended, before this epoch */
    uint64_t flushed, told;    /* of contended and pushed, by flush */
};

struct vmr_producer {
    struct vmr_bell_tx bells[XEN_VM_RING_MAX_GROUPS];
    struct vmr_geometry geo;           /* of the current epoch */
    struct xen_vm_ring_header *header; /* NULL: no ring yet */
    struct vmr_slot_tx *slots;
    struct vmr_lane_tx *lanes;
    uint64_t *bell_words;
    struct vmr_bits pending; /* vCPUs with a request */
    uint64_t *pending_words;
    uint32_t nr_vcpus, nr_lanes;
    struct vmr_foreign foreign;
    struct vmr_rmws rmws; /* of all bells */

    bool attached;          /* C may be read */
    bool sweeping;          /* the last look at C */
    bool pause_overdue;     /* past the deadline: VMR_OVERDUE, not neutral */
    enum vmr_by release;    /* VMR_BY_DETACH: release all; else 0 */
    uint64_t next_deadline; /* none expires before */
    uint64_t scan_deadline; /* the earliest that vmr_expire() has passed over */
    uint32_t scan;          /* where vmr_expire() goes on */
    uint32_t fetch;         /* the group that collect() looks at next */

    uint64_t ignored;     /* answers that broke a rule, hints for nothing */
    uint64_t lane_faults; /* lanes whose cursor was a lie */
    bool broken; /* the consumer kept a read-modify-write from ending */
    bool again;  /* flush again: others of ours were at it */
};

/* Bytes that vmr_producer_init() needs, 8-byte aligned. */
size_t vmr_producer_size(uint32_t nr_vcpus, uint32_t nr_lanes);

/* `memory` is the caller's, that long, and stays so.  No ring yet. */
void vmr_producer_init(struct vmr_producer *producer, void *memory,
                       uint32_t nr_vcpus, uint32_t nr_lanes);

/*
 * A new epoch in fresh, zeroed regions laid out by vmr_geometry_lay_out(),
 * whose header vmr_geometry_publish() has written.  The old P is frozen
 * before.  Every pending request is posted anew; flush afterwards.
 */
void vmr_producer_attach(struct vmr_producer *producer,
                         const struct vmr_geometry *geo, void *p, void *c);

/*
 * Freezes the current P for a successor of the consumer.  false: a push into
 * the foreign lane is under way, in another thread; nothing was done, call
 * again.
 */
bool vmr_producer_freeze(struct vmr_producer *producer);

/* No successor after all: the P that was frozen is live again. */
void vmr_producer_thaw(struct vmr_producer *producer);

/*
 * The consumer has gone.  vmr_producer_collect() looks at each pending
 * request's answer once more, without hints; when it has returned false and
 * `sweeping` is false, so is `attached`, and C can be unmapped.
 */
void vmr_producer_sweep(struct vmr_producer *producer);

/*
 * From now on collect() gives every pending request the neutral verdict, once
 * the sweep is over.  Until vmr_producer_attach().
 */
void vmr_producer_release(struct vmr_producer *producer);

/* Queues and posts; false: the vCPU's FIFO is full, apply neutral yourself. */
bool vmr_producer_post(struct vmr_producer *producer,
                       const struct vmr_request *request);

/*
 * true: published, to be shown by a flush; false: counted lost.  A lane whose
 * records are all in use is shown by the push that finds no room, but its
 * consumer is told by a flush alone.  The foreign lane, nr_vcpus, is shown at
 * once.
 */
bool vmr_producer_push(struct vmr_producer *producer, uint32_t lane,
                       const struct xen_vm_ring_event *event);

/*
 * As vmr_producer_push(), for a lane that is pushed into by no other call,
 * where every vCPU is a thread of its own, as in a hypervisor: these touch
 * nothing private but their lane, so each vCPU calls them for its own lane, one
 * of a vCPU, while others do for theirs, and while one thread makes the other
 * calls.  Only what maps or unmaps regions excludes them: attach, freeze, and
 * every collect from vmr_producer_sweep() until `attached` is false; of a
 * reserve and its commit, all from the one to the other.
 *
 * reserve_own, commit_own: as vmr_lane_reserve(), whose *regs are in P.
 *
 * A fault of the lane is counted when the epoch ends; so is a consumer that
 * keeps flush_own from its memory, which is not tried again.
 *
 * flush_own: VMR_FLUSH_RING: ring the doorbell of the lane's group.
 * VMR_FLUSH_AGAIN, with LL/SC alone: other threads of ours changed words of C
 * at the same time; what was pushed is not told of, call again, at once or
 * later.
 */
bool vmr_producer_push_own(struct vmr_producer *producer, uint32_t lane,
                           const struct xen_vm_ring_event *event);
bool vmr_producer_reserve_own(struct vmr_producer *producer, uint32_t lane,
                              const struct xen_vm_ring_event *event,
                              union xen_vm_ring_tail **regs);
void vmr_producer_commit_own(struct vmr_producer *producer, uint32_t lane);
enum vmr_flush vmr_producer_flush_own(struct vmr_producer *producer,
                                      uint32_t lane);

/*
 * Which groups' doorbells to ring, bit g for group g.  `again` tells whether
 * something is left for another flush, as by flush_own.
 */
uint64_t vmr_producer_flush(struct vmr_producer *producer);

/* The groups to ring, as by flush, for something that has no attention bit. */
uint64_t vmr_producer_wake(struct vmr_producer *producer);

/*
 * The next verdict, if any.  What `now` is too late for comes first, and has
 * the consumer's answer if that is in its slot; then the answers that there
 * are hints for.  A call looks at VMR_COLLECT_LOOKS slots at most, so there may
 * be more when it has returned false: vmr_producer_arm() tells.  Flush
 * afterwards: a request that waited behind may have become visible.
 */
bool vmr_producer_collect(struct vmr_producer *producer, uint64_t now,
                          struct vmr_verdict *verdict);

/*
 * Arms the doorbells for answers.  true: sleep; false: answers are there
 * already, or a sweep is not over: collect first.
 */
bool vmr_producer_arm(struct vmr_producer *producer);

/* Target or producer state, in the header. */
void vmr_producer_set_target(struct vmr_producer *producer, uint64_t state,
                             uint64_t reason);
void vmr_producer_set_state(struct vmr_producer *producer, uint64_t state);

#endif /* VMRING_CORE_PRODUCER_H */
