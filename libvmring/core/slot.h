/* SPDX-License-Identifier: MIT */
/*
 * slot.h: a vCPU's synchronous requests.
 *
 * One request is visible at a time; a private FIFO behind it takes what a
 * vCPU raises without running in between (nested VMX up to three, emulation
 * plus interrupt two).  Whether a request is pending follows from P alone:
 * its seq is odd.  See docs/ABI.md, "Slots".
 */
#ifndef VMRING_CORE_SLOT_H
#define VMRING_CORE_SLOT_H

#include "geometry.h"

#define VMR_FIFO 5 /* the visible one and four behind it */

/*
 * A request that waits for its verdict; the producer's private copy.  Of lines
 * of its own, as is all that is a vCPU's: another one's may be another CPU's.
 */
struct vmr_request {
    struct xen_vm_ring_event event;
    uint64_t cookie;
    uint64_t deadline; /* on the caller's clock; UINT64_MAX: none */
    bool overdue;      /* VMRING_OVERDUE has been given for it */
} __attribute__((__aligned__(XEN_VM_RING_LINE)));

struct vmr_slot_tx {
    struct xen_vm_ring_event *request;           /* NULL: no ring */
    const struct xen_vm_ring_response *response; /* hostile */
    uint64_t seq;       /* last one given out: odd while posted */
    uint64_t refused;   /* the last one whose answer broke a rule */
    uint32_t first, nr; /* the FIFO; its first is the visible one */
    bool hint_due; /* an answer was found before the bit that tells of it */
    /* vcpu.c's, for a vCPU that is a thread of its own. */
    bool untold;      /* it is visible, and its bit not set yet */
    bool owing;       /* its bit is set, and nobody was rung */
    bool kept_from;   /* the consumer kept us from its attention; sticky */
    uint64_t seen;    /* the last one that was said to have an answer */
    uint32_t settled; /* the first so many have their verdict */
    const struct xen_vm_ring_response
        *kept;               /* the first one's; NULL: neutral */
    xen_vm_ring_u64 ignored; /* answers that broke a rule */
    /* Entry i of all vCPUs lies together: most FIFOs hold one request. */
    struct vmr_request *fifo[VMR_FIFO];
} __attribute__((__aligned__(XEN_VM_RING_LINE)));

/* No request and no ring.  `fifo` has VMR_FIFO entries, `stride` apart. */
void vmr_slot_tx_init(struct vmr_slot_tx *tx, struct vmr_request *fifo,
                      uint32_t stride);

/* Moves to fresh regions.  Pending requests stay pending, not visible yet. */
void vmr_slot_tx_attach(struct vmr_slot_tx *tx, const struct vmr_geometry *geo,
                        uint32_t vcpu, void *p, void *c);

/* The consumer has gone: its C is never read again.  P stays in use. */
void vmr_slot_tx_detach(struct vmr_slot_tx *tx);

/* After that: there is no ring any more, and P is not touched either. */
void vmr_slot_tx_leave(struct vmr_slot_tx *tx);

/*
 * Where the next request is to be filled in, NULL: the FIFO is full; and that
 * it is.  Nothing happens if it is not committed.
 */
struct vmr_request *vmr_slot_reserve(struct vmr_slot_tx *tx);
void vmr_slot_commit(struct vmr_slot_tx *tx);

/* Queues a copy of a request; false: the FIFO is full. */
bool vmr_slot_add(struct vmr_slot_tx *tx, const struct vmr_request *request);

static inline struct vmr_request *vmr_slot_first(struct vmr_slot_tx *tx)
{
    return tx->nr ? tx->fifo[tx->first] : NULL;
}

/*
 * Makes the first request visible under a fresh seq, if none is and there is
 * a ring.  true: it has just become visible.
 */
bool vmr_slot_post(struct vmr_slot_tx *tx);

enum vmr_collect {
    VMR_COLLECT_NONE,   /* not answered */
    VMR_COLLECT_ANSWER, /* *response holds a private copy, unchecked */
    VMR_COLLECT_STALE,  /* an answer to something else */
};

/* Looks for the answer to the visible request. */
enum vmr_collect vmr_slot_collect(const struct vmr_slot_tx *tx,
                                  struct xen_vm_ring_response *response);

/* Takes the first request out of the slot and the FIFO: it has its verdict. */
void vmr_slot_retire(struct vmr_slot_tx *tx);

/* The consumer's end; of a line of its own, as other vCPUs' are others'. */
struct vmr_slot_rx {
    const struct xen_vm_ring_event *request; /* hostile */
    struct xen_vm_ring_response *response;
    uint64_t taken;    /* the last seq taken: each is taken once */
    uint64_t answered; /* the last one answered: each is answered once */
} __attribute__((__aligned__(XEN_VM_RING_LINE)));

void vmr_slot_rx_init(struct vmr_slot_rx *rx, const struct vmr_geometry *geo,
                      uint32_t vcpu, const void *p, void *c);

enum vmr_take {
    VMR_TAKE_NONE,   /* nothing posted that was not taken */
    VMR_TAKE_EVENT,  /* *event is whole; event->state is its seq */
    VMR_TAKE_AGAIN,  /* it was retired while it was copied */
    VMR_TAKE_BROKEN, /* the producer broke the protocol */
};

enum vmr_take vmr_slot_take(struct vmr_slot_rx *rx,
                            struct xen_vm_ring_event *event);

/* Is the request `seq` still posted?  Best effort: it may be retired next. */
bool vmr_slot_is_posted(const struct vmr_slot_rx *rx, uint64_t seq);

/* Has `seq` its answer already?  There is one for each (docs/ABI.md, S4). */
bool vmr_slot_is_answered(const struct vmr_slot_rx *rx, uint64_t seq);

/* Stores the answer to the request `seq`, which has none. */
void vmr_slot_answer(struct vmr_slot_rx *rx, uint64_t seq,
                     const struct xen_vm_ring_response *response);

#endif /* VMRING_CORE_SLOT_H */
