/* SPDX-License-Identifier: MIT */
/*
 * lane_push.h: how a record gets into a lane, and the commonest one without a
 * call: of one line, where there is room.
 */
#ifndef VMRING_CORE_LANE_PUSH_H
#define VMRING_CORE_LANE_PUSH_H

#include "atomic.h"
#include "lane_record.h"

static inline struct xen_vm_ring_event *
vmr_lane_slot(const struct vmr_lane_tx *tx, uint64_t position)
{
    uint64_t slot = position & tx->mask;

    return (void *)(tx->records + slot * tx->record_len);
}

/* A line that is soon written; nothing of it is read. */
static inline void vmr_ask_for_line(const void *p)
{
#ifdef __x86_64__
    /* The builtin asks for a copy to read unless told of the CPU. */
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)p));
#else
    __builtin_prefetch(p, 1);
#endif
}

/* How many records of a line. */
#define VMR_LINES_AHEAD 32

/*
 * A later record's line, of records of one.  The consumer has it; stores wait
 * for it in their order, and a CPU has room for those of a few records.  One
 * that is not free yet is not asked of the consumer: we wrote it.
 */
static inline void vmr_lane_ask_ahead(const struct vmr_lane_tx *tx)
{
    vmr_ask_for_line(vmr_lane_slot(tx, tx->head + VMR_LINES_AHEAD));
}

/* Is there room for one more, as far as we know?  Overwriting there is. */
static inline bool vmr_lane_has_room(const struct vmr_lane_tx *tx)
{
    return tx->head - tx->cons < tx->room;
}

/*
 * lane_push.c: by the cursor that was accepted last there is no room.  false:
 * nor is there by the one that there is now, and the event is counted lost.
 */
bool vmr_lane_make_room(struct vmr_lane_tx *tx);

/* lane_push.c: of any length, with room. */
void vmr_lane_push_into_room(struct vmr_lane_tx *tx,
                             const struct xen_vm_ring_event *event);

/* The slot of the next record; whoever reads the old one can tell. */
static inline struct xen_vm_ring_event *
vmr_lane_open_slot(const struct vmr_lane_tx *tx)
{
    struct xen_vm_ring_event *record = vmr_lane_slot(tx, tx->head);

    if (tx->loss_policy == XEN_VM_RING_POLICY_OVERWRITE) {
        /*
         * The slot says that it is being written before a word of the old
         * record changes.  Pairs with the acquire fence in
         * vmr_lane_pull() (docs/ABI.md, L5).
         */
        vmr_store_relaxed(&record->state, BUSY(tx->head));
        vmr_fence_release();
    }
    return record;
}

static inline void vmr_lane_put_flags(const struct vmr_lane_tx *tx,
                                      struct xen_vm_ring_event *record,
                                      uint32_t flags)
{
    /* Two fields, one word; of lost, what there is room for. */
    vmr_store_relaxed((void *)&record->flags, flags | tx->lost << 32);
}

/* A head that the lane takes as it is. */
static inline void vmr_lane_put_head(const struct vmr_lane_tx *tx,
                                     struct xen_vm_ring_event *record,
                                     const struct xen_vm_ring_event *event)
{
    /* Xen's own offsetof() is in none of the headers that core may use. */
    uint64_t behind = __builtin_offsetof(struct xen_vm_ring_event, reason);

    vmr_store_relaxed(&record->time, event->time);
    vmr_lane_put_flags(tx, record, event->flags);
    vmr_copy_to_shared((unsigned char *)record + behind,
                       (const unsigned char *)event + behind,
                       HEAD_LEN - behind);
}

/* The record of vmr_lane_open_slot() is whole, and counts. */
static inline void vmr_lane_close_slot(struct vmr_lane_tx *tx,
                                       struct xen_vm_ring_event *record)
{
    uint64_t head = tx->head;

    /* Whole (L4).  The store of head makes it, and the payload, visible. */
    vmr_store_relaxed(&record->state, DONE(head));
    tx->head = head + 1;
    /*
     * Pairs with the acquire load in look_at() (L2), of a consumer that takes
     * what no flush has shown.
     */
    vmr_store_release(&tx->line->head, tx->head);
}

/* Of one line, with room. */
static inline __attribute__((__always_inline__)) void
vmr_lane_push_line(struct vmr_lane_tx *tx,
                   const struct xen_vm_ring_event *event)
{
    struct xen_vm_ring_event *record = vmr_lane_open_slot(tx);

    vmr_lane_ask_ahead(tx);
    vmr_lane_put_head(tx, record, event);
    vmr_lane_close_slot(tx, record);
}

#endif /* VMRING_CORE_LANE_PUSH_H */
