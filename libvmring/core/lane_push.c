/* SPDX-License-Identifier: MIT */
/* lane_push.c: an event goes into a lane, or is counted lost. */
#include "atomic.h"
#include "lane_record.h"

static inline void ask_for_line(const void *p)
{
#ifdef __x86_64__
    /* The builtin asks for a copy to read unless told of the CPU. */
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)p));
#else
    __builtin_prefetch(p, 1);
#endif
}

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
        .nr_records = geo->nr_records,
        .record_len = geo->record_len,
        .loss_policy = geo->loss_policy,
        .ask_ahead = vmr_ask_ahead(geo),
        .group = vmr_group_of(geo, lane),
        .bit = vmr_bit_of(geo, lane),
    };
}

static void count_lost(struct vmr_lane_tx *tx)
{
    /* A count: nobody goes by it to anything else. */
    vmr_store_relaxed(&tx->line->lost, ++tx->lost);
}

/*
 * Reads the cursor once.  It is believed only between the last one believed
 * and our own head; anything else is a fault, sticky (docs/ABI.md, L7).
 */
static void read_cursor(struct vmr_lane_tx *tx)
{
    uint64_t cons;

    if (tx->faulted || !tx->cursor)
        return;
    /*
     * Pairs with the release in vmr_lane_publish_cursor(): its reads of the
     * record are over before we write the slot again.
     */
    cons = vmr_load_acquire(&tx->cursor->cons);
    if (cons - tx->cons > tx->head - tx->cons)
        tx->faulted = true;
    else
        tx->cons = cons;
}

void vmr_lane_show(struct vmr_lane_tx *tx)
{
    if (tx->shown == tx->head)
        return;
    tx->shown = tx->head;
    /* Pairs with the acquire load in look_at() (L2). */
    vmr_store_release(&tx->line->shown, tx->head);
}

/* Discard newest: is there room? */
static inline bool has_room(struct vmr_lane_tx *tx)
{
    if (tx->head - tx->cons >= tx->nr_records) {
        /* A consumer cannot give back what it has not been shown. */
        vmr_lane_show(tx);
        read_cursor(tx);
    }
    return !tx->faulted && tx->head - tx->cons < tx->nr_records;
}

/* The head of a record is eight words; two of them are made up here. */
static inline __attribute__((__always_inline__)) void
store_head(struct xen_vm_ring_event *to, const struct xen_vm_ring_event *from,
           uint32_t flags, uint32_t lost, uint32_t length)
{
    uint64_t flags_lost = flags | (uint64_t)lost << 32;
    uint64_t reason_to_length = from->reason | (uint64_t)from->vcpu << 16 |
                                (uint64_t)from->altp2m_idx << 32 |
                                (uint64_t)length << 48;

    vmr_store_relaxed(&to->time, from->time);
    vmr_store_relaxed((void *)&to->flags, flags_lost);
    vmr_store_relaxed((void *)&to->reason, reason_to_length);
    vmr_copy_to_shared(&to->u, &from->u, sizeof(to->u));
}

static inline struct xen_vm_ring_event *record_at(const struct vmr_lane_tx *tx,
                                                  uint64_t position)
{
    uint64_t slot = position & (tx->nr_records - 1);

    return (void *)(tx->records + slot * tx->record_len);
}

/* A later record's lines, with registers, if its slot is known to be free. */
static void ask_ahead(const struct vmr_lane_tx *tx)
{
    uint64_t then = tx->head + 1 + tx->ask_ahead;
    const unsigned char *record;

    if (tx->loss_policy == XEN_VM_RING_POLICY_DISCARD &&
        then - tx->cons >= tx->nr_records)
        return;
    record = (const void *)record_at(tx, then);
    for (uint32_t line = 0; line < XEN_VM_RING_EVENT_FULL; line += 64)
        ask_for_line(record + line);
}

/*
 * The next record: its head is there, *length is what it is to have.  NULL:
 * counted lost.
 */
static inline __attribute__((__always_inline__)) struct xen_vm_ring_event *
begin(struct vmr_lane_tx *tx, const struct xen_vm_ring_event *event,
      uint32_t *length)
{
    struct xen_vm_ring_event *record;
    uint32_t flags = event->flags;

    if (tx->loss_policy == XEN_VM_RING_POLICY_DISCARD && !has_room(tx)) {
        count_lost(tx);
        return NULL;
    }
    *length = HEAD_LEN;
    if (event->length >= XEN_VM_RING_EVENT_FULL) {
        if (tx->record_len < XEN_VM_RING_EVENT_FULL)
            flags |= XEN_VM_RING_FLAG_REGS_CUT;
        else
            *length = XEN_VM_RING_EVENT_FULL;
    }
    record = record_at(tx, tx->head);
    if (tx->loss_policy == XEN_VM_RING_POLICY_OVERWRITE) {
        /*
         * The slot says that it is being written before a word of the old
         * record changes.  Pairs with the acquire fence in
         * vmr_lane_pull() (docs/ABI.md, L5).
         */
        vmr_store_relaxed(&record->state, BUSY(tx->head));
        vmr_fence_release();
    }
    store_head(record, event, flags, (uint32_t)tx->lost, *length);
    return record;
}

static inline __attribute__((__always_inline__)) void
end(struct vmr_lane_tx *tx, struct xen_vm_ring_event *record)
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

bool vmr_lane_push(struct vmr_lane_tx *tx,
                   const struct xen_vm_ring_event *event)
{
    uint32_t length;
    struct xen_vm_ring_event *record = begin(tx, event, &length);

    if (!record)
        return false;
    /* Stores that go on from line to line have no need to ask. */
    if (length > HEAD_LEN) {
        ask_ahead(tx);
        vmr_copy_to_shared(&record->regs, &event->regs, XEN_VM_RING_REGS_LEN);
    }
    end(tx, record);
    return true;
}

bool vmr_lane_reserve(struct vmr_lane_tx *tx,
                      const struct xen_vm_ring_event *event,
                      union xen_vm_ring_tail **regs)
{
    uint32_t length;
    struct xen_vm_ring_event *record = begin(tx, event, &length);

    if (!record)
        return false;
    *regs = NULL;
    if (length > HEAD_LEN) {
        ask_ahead(tx);
        *regs = &record->regs;
    }
    return true;
}

void vmr_lane_commit(struct vmr_lane_tx *tx)
{
    end(tx, record_at(tx, tx->head));
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
