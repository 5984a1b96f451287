/* SPDX-License-Identifier: MIT */
/*
 * lane.h: a ring of sized records with one producer and one consumer.
 *
 * A push is counted by exactly one store, to head or to lost, so that attempts
 * = head + lost at any instant; of the foreign lane see lane_foreign.c.  All
 * that either side decides with is private; see docs/ABI.md, "Lanes".
 */
#ifndef VMRING_CORE_LANE_H
#define VMRING_CORE_LANE_H

#include "geometry.h"

/* The producer's end; of a line of its own, as other lanes' are other CPUs'. */
struct vmr_lane_tx {
    struct xen_vm_ring_lane *line;
    unsigned char *records;
    const struct xen_vm_ring_cursor *cursor; /* hostile; NULL: gone */
    uint64_t head, lost;
    uint64_t shown; /* of head */
    uint64_t cons;  /* the last cursor that was accepted */
    uint64_t mask;  /* of a position: its slot */
    uint64_t room;  /* head may be less than that ahead of cons; 0: faulted */
    uint32_t record_len, loss_policy;
    uint32_t ask_ahead;  /* records */
    uint32_t group, bit; /* its bit among those that the group's flush tells */
    bool faulted;        /* the consumer broke its cursor; sticky */
    bool kept_from;      /* the consumer kept us from its attention; sticky */
    bool fault_counted;  /* in the producer's lane_faults */
    bool untold;         /* vmr_producer_flush() has to tell of it */
    bool own_untold;     /* vmr_producer_flush_own() has */
    bool own_owed;       /* and has set its bit, and rung nobody */
} __attribute__((__aligned__(XEN_VM_RING_LINE)));

/* The consumer's end; of a line of its own, as other lanes' are others'. */
struct vmr_lane_rx {
    const struct xen_vm_ring_lane *line; /* the producer's words: hostile */
    const xen_vm_ring_u64 *shown;        /* of these, the one to go by */
    const unsigned char *records;
    struct xen_vm_ring_cursor *cursor;
    uint64_t tail;               /* the next position to take */
    uint64_t end;                /* all before it is shown, as far as we know */
    uint64_t mask;               /* of a position: its slot */
    uint64_t taken;              /* records handed out */
    xen_vm_ring_u64 overwritten; /* positions that the producer overran */
    uint64_t gap; /* of these, since the last record handed out */
    uint64_t record_len;
    uint32_t loss_policy;
    uint32_t ask_ahead; /* records */
    uint32_t idle;      /* looks since the last record, up to a limit */
    bool broken;        /* the producer broke the protocol; sticky */
} __attribute__((__aligned__(XEN_VM_RING_LINE)));

/* Lane `lane` of fresh regions. */
void vmr_lane_tx_init(struct vmr_lane_tx *tx, const struct vmr_geometry *geo,
                      uint32_t lane, void *p, void *c);

/*
 * Stores a copy of `event`, cut to its head if its registers do not fit.
 * true: it is there; false: counted lost.  A constant number of steps.
 */
bool vmr_lane_push(struct vmr_lane_tx *tx,
                   const struct xen_vm_ring_event *event);

/*
 * A push in two halves, whose caller writes the registers where they stay.
 * Of `event` the head is copied, at once; its length tells whether there are to
 * be registers.  true: *regs is where in P they go, NULL if there are none or
 * the lane has no room for them; vmr_lane_commit() follows, and then the record
 * is there.  false: counted lost.  Both take a constant number of steps.
 *
 * The caller writes every word of *regs, as the consumer would have what an
 * older record left in it; by the stores of atomic.h, each word once; and reads
 * nothing there, as what it reads could be somebody else's.
 *
 * There is no way to give a record up: all that could fail is the caller's to
 * find out before.  One that is not committed is, for the ledger and whoever
 * reads the lane, a push during which the producer ended: neither in head nor
 * in lost, and in an overwriting lane the record that it would have replaced is
 * gone.  The next reserve or push has the same position.
 */
bool vmr_lane_reserve(struct vmr_lane_tx *tx,
                      const struct xen_vm_ring_event *event,
                      union xen_vm_ring_tail **regs);
void vmr_lane_commit(struct vmr_lane_tx *tx);

/*
 * Shows the consumer what was pushed.  Apart from the push, so that a consumer
 * that waits for more does not take away a line that each push stores to; but
 * a push that finds the lane full shows it, as nothing else makes room.
 */
void vmr_lane_show(struct vmr_lane_tx *tx);

/* The consumer has gone: its cursor is read a last time. */
void vmr_lane_tx_detach(struct vmr_lane_tx *tx);

/*
 * The lane is written no more: publishes where a successor of its consumer
 * starts, the last cursor that can be believed.
 */
void vmr_lane_freeze(struct vmr_lane_tx *tx);

/* c may be NULL: a frozen P, drained without publishing a cursor. */
void vmr_lane_rx_init(struct vmr_lane_rx *rx, const struct vmr_geometry *geo,
                      uint32_t lane, const void *p, void *c);

/* In a frozen P: starts where the consumer before left off. */
void vmr_lane_rx_resume(struct vmr_lane_rx *rx);

enum vmr_pull {
    VMR_PULL_NONE,   /* nothing is shown beyond the tail */
    VMR_PULL_EVENT,  /* *event is whole */
    VMR_PULL_AGAIN,  /* overrun while copying: the tail has moved on */
    VMR_PULL_BROKEN, /* sticky */
};

/*
 * Takes the next record.  One bounded copy a call, whatever the producer
 * does.  The cursor is not published: see vmr_lane_publish_cursor().
 */
enum vmr_pull vmr_lane_pull(struct vmr_lane_rx *rx,
                            struct xen_vm_ring_event *event);

/* Is nothing shown that was not taken?  Best effort, but for a fault. */
bool vmr_lane_is_drained(const struct vmr_lane_rx *rx);

/* The producer or its target has gone: all that was pushed is taken. */
void vmr_lane_rx_to_head(struct vmr_lane_rx *rx);

/* Gives the room of the records that were taken back to the producer. */
void vmr_lane_publish_cursor(struct vmr_lane_rx *rx);

#endif /* VMRING_CORE_LANE_H */
