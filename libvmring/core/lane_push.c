/* SPDX-License-Identifier: MIT */
/* lane_push.c: an event goes into a lane, or is counted lost. */
#include "lane_push.h"

static void *at(void *region, uint64_t off)
{
    return (unsigned char *)region + off;
}

void vmr_lane_tx_init(struct vmr_lane_tx *tx, const struct vmr_geometry *geo,
                      uint32_t lane, void *p, void *c)
{
    *tx = (struct vmr_lane_tx){
        .line = at(p, geo->lane_off + (uint64_t)lane * XEN_VM_RING_LANE),
        .records =
            at(p, geo->record_off + lane * geo->nr_records * geo->record_len),
        .cursor = at(c, geo->cursor_off + (uint64_t)lane * XEN_VM_RING_LINE),
        .mask = geo->nr_records - 1,
        .room = geo->loss_policy == XEN_VM_RING_POLICY_DISCARD ? geo->nr_records
                                                               : UINT64_MAX,
        .record_len = geo->record_len,
        .loss_policy = geo->loss_policy,
        .ask_ahead = vmr_ask_ahead(geo),
        .group = vmr_group_of(geo, lane),
        .bit = vmr_bit_of(geo, lane),
    };
}

static inline void count_lost(struct vmr_lane_tx *tx)
{
    /* A count: nobody goes by it to anything else. */
    vmr_store_relaxed(&tx->line->lost, ++tx->lost);
}

/*
 * Reads the cursor once.  It is believed only between the last one believed
 * and our own head; anything else is a fault, sticky (docs/ABI.md, L7).
 */
static inline void read_cursor(struct vmr_lane_tx *tx)
{
    uint64_t cons;

    if (tx->faulted || !tx->cursor)
        return;
    /*
     * Pairs with the release in vmr_lane_publish_cursor(): its reads of the
     * record are over before we write the slot again.
     */
    cons = vmr_load_acquire(&tx->cursor->cons);
    if (cons - tx->cons > tx->head - tx->cons) {
        tx->faulted = true;
        tx->room = 0;
    } else {
        tx->cons = cons;
    }
}

void vmr_lane_show(struct vmr_lane_tx *tx)
{
    if (tx->shown == tx->head)
        return;
    tx->shown = tx->head;
    /* Pairs with the acquire load in look_at() (L2). */
    vmr_store_release(&tx->line->shown, tx->head);
}

bool vmr_lane_make_room(struct vmr_lane_tx *tx)
{
    /* Its cursor was a lie, or is 2^64 behind; it needs no room. */
    if (tx->loss_policy == XEN_VM_RING_POLICY_OVERWRITE)
        return true;
    /* A consumer cannot give back what it has not been shown. */
    vmr_lane_show(tx);
    read_cursor(tx);
    if (vmr_lane_has_room(tx))
        return true;
    count_lost(tx);
    return false;
}

/*
 * The head of an event whose length is not the record's: the words that have
 * flags and length are made up here.
 */
static void put_other_head(const struct vmr_lane_tx *tx,
                           struct xen_vm_ring_event *record,
                           const struct xen_vm_ring_event *event,
                           uint32_t flags, uint32_t length)
{
    uint64_t reason_to_length = event->reason | (uint64_t)event->vcpu << 16 |
                                (uint64_t)event->altp2m_idx << 32 |
                                (uint64_t)length << 48;

    vmr_store_relaxed(&record->time, event->time);
    vmr_lane_put_flags(tx, record, flags);
    vmr_store_relaxed((void *)&record->reason, reason_to_length);
    vmr_copy_to_shared(&record->u, &event->u, sizeof(record->u));
}

/* A later record's lines, with registers, if its slot is known to be free. */
static inline void ask_for_lines(const struct vmr_lane_tx *tx)
{
    uint64_t then = tx->head + 1 + tx->ask_ahead;
    const unsigned char *record;

    if (tx->loss_policy == XEN_VM_RING_POLICY_DISCARD &&
        then - tx->cons > tx->mask)
        return;
    record = (const void *)vmr_lane_slot(tx, then);
    for (uint32_t line = 0; line < XEN_VM_RING_EVENT_FULL; line += 64)
        vmr_ask_for_line(record + line);
}

/* The next record: its head is there.  true: with room for registers. */
static inline __attribute__((__always_inline__)) bool
begin(struct vmr_lane_tx *tx, const struct xen_vm_ring_event *event,
      struct xen_vm_ring_event **record)
{
    uint32_t length = HEAD_LEN, flags = event->flags;

    if (event->length >= XEN_VM_RING_EVENT_FULL) {
        if (tx->record_len < XEN_VM_RING_EVENT_FULL)
            flags |= XEN_VM_RING_FLAG_REGS_CUT;
        else
            length = XEN_VM_RING_EVENT_FULL;
    }
    *record = vmr_lane_open_slot(tx);
    if (event->length == length)
        vmr_lane_put_head(tx, *record, event);
    else
        put_other_head(tx, *record, event, flags, length);
    if (length == HEAD_LEN) {
        vmr_lane_ask_ahead(tx);
        return false;
    }
    ask_for_lines(tx);
    return true;
}

void vmr_lane_push_into_room(struct vmr_lane_tx *tx,
                             const struct xen_vm_ring_event *event)
{
    struct xen_vm_ring_event *record;

    if (begin(tx, event, &record))
        vmr_copy_to_shared(&record->regs, &event->regs, XEN_VM_RING_REGS_LEN);
    vmr_lane_close_slot(tx, record);
}

bool vmr_lane_push(struct vmr_lane_tx *tx,
                   const struct xen_vm_ring_event *event)
{
    if (!vmr_lane_has_room(tx) && !vmr_lane_make_room(tx))
        return false;
    vmr_lane_push_into_room(tx, event);
    return true;
}

bool vmr_lane_reserve(struct vmr_lane_tx *tx,
                      const struct xen_vm_ring_event *event,
                      union xen_vm_ring_tail **regs)
{
    struct xen_vm_ring_event *record;

    if (!vmr_lane_has_room(tx) && !vmr_lane_make_room(tx))
        return false;
    *regs = begin(tx, event, &record) ? &record->regs : NULL;
    return true;
}

void vmr_lane_commit(struct vmr_lane_tx *tx)
{
    vmr_lane_close_slot(tx, vmr_lane_slot(tx, tx->head));
}

void vmr_lane_tx_detach(struct vmr_lane_tx *tx)
{
    read_cursor(tx);
    tx->cursor = NULL;
}

void vmr_lane_freeze(struct vmr_lane_tx *tx)
{
    read_cursor(tx);
    /* Whatever tells the reader that P is frozen orders this too. */
    vmr_store_relaxed(&tx->line->resume, tx->cons);
}
