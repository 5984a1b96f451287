/* SPDX-License-Identifier: MIT */
#include "lane.h"

#include "atomic.h"

#define BUSY(h) (2 * (h) + 1)
#define DONE(h) (2 * (h) + 2)

#define HEAD_LEN XEN_VM_RING_EVENT_HEAD

/*
 * So far ahead of a push, in bytes, lines are asked for: the consumer had
 * them last, and a store that waits for its line holds up all behind it.
 */
#define ASK_AHEAD 1024

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

static const void *at_const(const void *region, uint64_t off)
{
    return (const unsigned char *)region + off;
}

void vmr_lane_tx_init(struct vmr_lane_tx *tx, const struct vmr_geometry *geo,
                      uint32_t lane, void *p, void *c)
{
    *tx = (struct vmr_lane_tx){
        .line = at(p, geo->lane_off + (uint64_t)lane * XEN_VM_RING_LANE),
        .records = at(p, geo->record_off + lane * geo->slots * geo->record_len),
        .cursor = at(c, geo->cursor_off + (uint64_t)lane * XEN_VM_RING_LINE),
        .slots = geo->slots,
        .record_len = geo->record_len,
        .policy = geo->policy,
        .ask_ahead = (ASK_AHEAD + geo->record_len - 1) / geo->record_len,
        .group = vmr_group_of(geo, lane),
        .bit = vmr_bit_of(geo, lane),
    };
}

static void lose(struct vmr_lane_tx *tx)
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
static bool has_room(struct vmr_lane_tx *tx)
{
    if (tx->head - tx->cons >= tx->slots) {
        /* A consumer cannot give back what it has not been shown. */
        vmr_lane_show(tx);
        read_cursor(tx);
    }
    return !tx->faulted && tx->head - tx->cons < tx->slots;
}

/* The head of a record is eight words; two of them are made up here. */
static void store_head(struct xen_vm_ring_event *to,
                       const struct xen_vm_ring_event *from, uint32_t flags,
                       uint32_t lost, uint32_t length)
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

/* A later record's lines, if its slot is known to be free. */
static void ask_ahead(const struct vmr_lane_tx *tx, uint32_t length)
{
    uint64_t then = tx->head + tx->ask_ahead;
    const unsigned char *record;

    if (tx->policy == XEN_VM_RING_POLICY_DISCARD &&
        then - tx->cons >= tx->slots)
        return;
    record = tx->records + (then & (tx->slots - 1)) * tx->record_len;
    for (uint32_t line = 0; line < length; line += 64)
        ask_for_line(record + line);
}

bool vmr_lane_push(struct vmr_lane_tx *tx,
                   const struct xen_vm_ring_event *event)
{
    uint64_t head = tx->head;
    struct xen_vm_ring_event *record;
    uint32_t length = event->length, flags = event->flags;

    if (tx->policy == XEN_VM_RING_POLICY_DISCARD && !has_room(tx)) {
        lose(tx);
        return false;
    }

    if (length > XEN_VM_RING_EVENT_FULL)
        length = XEN_VM_RING_EVENT_FULL;
    if (length < XEN_VM_RING_EVENT_FULL) {
        length = HEAD_LEN;
    } else if (length > tx->record_len) {
        length = HEAD_LEN;
        flags |= XEN_VM_RING_FLAG_REGS_CUT;
    }
    record = (struct xen_vm_ring_event *)(void *)(tx->records +
                                                  (head & (tx->slots - 1)) *
                                                      tx->record_len);
    if (tx->policy == XEN_VM_RING_POLICY_OVERWRITE) {
        /*
         * The slot says that it is being written before a word of the old
         * record changes.  Pairs with the acquire fence in
         * vmr_lane_pull() (docs/ABI.md, L5).
         */
        vmr_store_relaxed(&record->state, BUSY(head));
        vmr_fence_release();
    }
    store_head(record, event, flags, (uint32_t)tx->lost, length);
    if (length > HEAD_LEN)
        vmr_copy_to_shared(&record->regs, &event->regs, length - HEAD_LEN);
    /* Whole (L4).  The store of head makes it, and the payload, visible. */
    vmr_store_relaxed(&record->state, DONE(head));
    tx->head = head + 1;
    /*
     * Pairs with the acquire load in look_at() (L2), of whoever takes what no
     * flush has shown.
     */
    vmr_store_release(&tx->line->head, tx->head);
    /* Stores that go on from line to line have no need of it. */
    if (length > HEAD_LEN)
        ask_ahead(tx, length);
    return true;
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

void vmr_lane_rx_init(struct vmr_lane_rx *rx, const struct vmr_geometry *geo,
                      uint32_t lane, const void *p, void *c)
{
    const struct xen_vm_ring_lane *line =
        at_const(p, geo->lane_off + (uint64_t)lane * XEN_VM_RING_LANE);

    *rx = (struct vmr_lane_rx){
        .line = line,
        /* A frozen P: what was pushed and never flushed is there, too. */
        .shown = c ? &line->shown : &line->head,
        .records =
            at_const(p, geo->record_off + lane * geo->slots * geo->record_len),
        .cursor = c ? at(c, geo->cursor_off + (uint64_t)lane * XEN_VM_RING_LINE)
                    : NULL,
        .slots = geo->slots,
        .record_len = geo->record_len,
        .policy = geo->policy,
        .ask_ahead = (ASK_AHEAD + geo->record_len - 1) / geo->record_len,
    };
}

void vmr_lane_rx_resume(struct vmr_lane_rx *rx)
{
    /* Of a P that is handed over frozen; vmr_lane_pull() checks it. */
    rx->tail = vmr_load_relaxed(&rx->line->resume);
}

static enum vmr_pull fault(struct vmr_lane_rx *rx)
{
    rx->faulted = true;
    return VMR_PULL_FAULT;
}

/* The tail moves to `to`: what is between is lost. */
static void skip_to(struct vmr_lane_rx *rx, uint64_t to)
{
    vmr_store_count(&rx->overwritten, rx->overwritten + to - rx->tail);
    rx->gap += to - rx->tail;
    rx->tail = to;
}

/* How far the producer is by `word`, head or shown.  false: that cannot be. */
static bool look_at(struct vmr_lane_rx *rx, const xen_vm_ring_u64 *word)
{
    /* Pairs with the release stores of vmr_lane_push() and _show() (L2). */
    uint64_t to = vmr_load_acquire(word);
    uint64_t ahead = to - rx->tail;

    if (ahead > rx->slots) {
        /* A word that went back shows as a huge distance. */
        if (rx->policy != XEN_VM_RING_POLICY_OVERWRITE || ahead >> 63)
            return false;
        skip_to(rx, to - rx->slots);
        ahead = rx->slots;
    }
    rx->ahead = ahead;
    return true;
}

/*
 * Only when what was ahead is taken: the line of shown is fetched once for
 * many records.  A consumer that was overrun went by head, and may be past
 * what is shown.
 */
static bool look_ahead(struct vmr_lane_rx *rx)
{
    return look_at(rx, rx->shown) ||
           (rx->overwritten && look_at(rx, &rx->line->head));
}

/* The slot of the tail; *state is what it holds, DONE(tail) or not. */
static const struct xen_vm_ring_event *find_record(const struct vmr_lane_rx *rx,
                                                   uint64_t *state)
{
    const struct xen_vm_ring_event *record =
        (const void *)(rx->records +
                       (rx->tail & (rx->slots - 1)) * rx->record_len);

    /*
     * Stored by vmr_lane_push() (L4).  Relaxed: the tail is below a head that
     * was acquired, so its record is there; only L5 says that it still is.
     */
    *state = vmr_load_relaxed(&record->state);
    return record;
}

/*
 * What a slot can hold once it was DONE(tail): BUSY or DONE of a later position
 * that is its own.  Compared mod 2^63, as a state has no more of a position.
 */
static bool is_later(const struct vmr_lane_rx *rx, uint64_t state)
{
    uint64_t ahead = ((state - 1) / 2 - rx->tail) & (UINT64_MAX >> 1);

    /* A P that stands still: only a push that was never ended is there. */
    if (!rx->cursor)
        return ahead == rx->slots && rx->ahead == rx->slots;
    return ahead && !(ahead >> 62) && !(ahead & (rx->slots - 1));
}

/*
 * The record at the tail, which head has said is there, is not.  It is being,
 * or has been, overwritten; or that is a lie.
 */
static enum vmr_pull overrun(struct vmr_lane_rx *rx, uint64_t state)
{
    if (rx->policy != XEN_VM_RING_POLICY_OVERWRITE || !is_later(rx, state))
        return fault(rx);
    skip_to(rx, rx->tail + 1);
    rx->ahead--;
    return VMR_PULL_AGAIN;
}

/* false: torn, or a lie; the state tells which. */
static bool copy_record(const struct vmr_lane_rx *rx,
                        const struct xen_vm_ring_event *record,
                        struct xen_vm_ring_event *event)
{
    vmr_copy_from_shared(event, record, HEAD_LEN);
    if (event->length == HEAD_LEN)
        return true;
    if (event->length != XEN_VM_RING_EVENT_FULL ||
        event->length > rx->record_len)
        return false;
    vmr_copy_from_shared(&event->regs, &record->regs, XEN_VM_RING_REGS_LEN);
    return true;
}

/*
 * A later record's lines, if it is there, as long as this one is.  As with a
 * push, one line a record needs none of it.
 */
static void ask_behind(const struct vmr_lane_rx *rx, uint32_t length)
{
    const unsigned char *record;

    if (length == HEAD_LEN || rx->ahead <= rx->ask_ahead)
        return;
    record = rx->records +
             ((rx->tail + rx->ask_ahead) & (rx->slots - 1)) * rx->record_len;
    for (uint32_t line = 0; line < length; line += 64)
        __builtin_prefetch(record + line);
}

enum vmr_pull vmr_lane_pull(struct vmr_lane_rx *rx,
                            struct xen_vm_ring_event *event)
{
    const struct xen_vm_ring_event *record;
    uint64_t state;
    bool whole;

    if (rx->faulted)
        return VMR_PULL_FAULT;
    if (!rx->ahead) {
        if (!look_ahead(rx))
            return fault(rx);
        if (!rx->ahead)
            return VMR_PULL_NONE;
    }
    record = find_record(rx, &state);
    if (state != DONE(rx->tail)) {
        /* Lapped since we looked, perhaps; then head says by how much. */
        if (!look_at(rx, &rx->line->head) || !rx->ahead)
            return fault(rx);
        record = find_record(rx, &state);
        if (state != DONE(rx->tail))
            return overrun(rx, state);
    }
    whole = copy_record(rx, record, event);
    if (whole)
        ask_behind(rx, event->length);
    if (rx->policy == XEN_VM_RING_POLICY_OVERWRITE) {
        /*
         * If a word of the copy came from the next round, this load sees its
         * BUSY or later.  Pairs with the release fence in vmr_lane_push()
         * (L5).
         */
        vmr_fence_acquire();
        state = vmr_load_relaxed(&record->state);
        if (state != DONE(rx->tail))
            return overrun(rx, state);
    }
    if (!whole)
        return fault(rx);
    rx->tail++;
    rx->ahead--;
    rx->taken++;
    return VMR_PULL_EVENT;
}

bool vmr_lane_is_drained(const struct vmr_lane_rx *rx)
{
    /* Only whether: what there is, a pull looks at (L2). */
    uint64_t ahead = vmr_load_relaxed(rx->shown) - rx->tail;

    return !rx->ahead && (!ahead || (rx->overwritten && ahead >> 63));
}

void vmr_lane_rx_to_head(struct vmr_lane_rx *rx)
{
    rx->shown = &rx->line->head;
}

void vmr_lane_publish_cursor(struct vmr_lane_rx *rx)
{
    /* Pairs with the acquire load of cons in read_cursor() (L3). */
    if (rx->cursor)
        vmr_store_release(&rx->cursor->cons, rx->tail);
}
