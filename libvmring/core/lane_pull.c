/* SPDX-License-Identifier: MIT */
/* lane_pull.c: the consumer takes a record, or finds it overwritten. */
#include "lane_pull.h"

static void *at(void *region, uint64_t off)
{
    return (unsigned char *)region + off;
}

static const void *at_const(const void *region, uint64_t off)
{
    return (const unsigned char *)region + off;
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
        .records = at_const(p, geo->record_off +
                                   lane * geo->nr_records * geo->record_len),
        .cursor = c ? at(c, geo->cursor_off + (uint64_t)lane * XEN_VM_RING_LINE)
                    : NULL,
        .mask = geo->nr_records - 1,
        .record_len = geo->record_len,
        .loss_policy = geo->loss_policy,
        .ask_ahead = vmr_ask_ahead(geo),
    };
}

void vmr_lane_rx_resume(struct vmr_lane_rx *rx)
{
    /* Of a P that is handed over frozen; vmr_lane_pull() checks it. */
    rx->tail = rx->end = vmr_load_relaxed(&rx->line->resume);
}

static uint64_t nr_records(const struct vmr_lane_rx *rx)
{
    return rx->mask + 1;
}

static enum vmr_pull broken(struct vmr_lane_rx *rx)
{
    rx->broken = true;
    return VMR_PULL_BROKEN;
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

    if (ahead > nr_records(rx)) {
        /* A word that went back shows as a huge distance. */
        if (rx->loss_policy != XEN_VM_RING_POLICY_OVERWRITE || ahead >> 63)
            return false;
        skip_to(rx, to - nr_records(rx));
    }
    rx->end = to;
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

/*
 * What a slot can hold once it was DONE(tail): BUSY or DONE of a later position
 * that is its own.  Compared mod 2^63, as a state has no more of a position.
 */
static bool is_later(const struct vmr_lane_rx *rx, uint64_t state)
{
    uint64_t ahead = ((state - 1) / 2 - rx->tail) & (UINT64_MAX >> 1);

    /* A P that stands still: only a push that was never ended is there. */
    if (!rx->cursor)
        return ahead == nr_records(rx) && rx->end - rx->tail == nr_records(rx);
    return ahead && !(ahead >> 62) && !(ahead & rx->mask);
}

/*
 * The record at the tail, which head has said is there, is not.  It is being,
 * or has been, overwritten; or that is a lie.
 */
static enum vmr_pull overrun(struct vmr_lane_rx *rx, uint64_t state)
{
    if (rx->loss_policy != XEN_VM_RING_POLICY_OVERWRITE || !is_later(rx, state))
        return broken(rx);
    skip_to(rx, rx->tail + 1);
    return VMR_PULL_AGAIN;
}

/*
 * A later record's lines, if it is there, as long as this one is.  Of one line
 * each, loads that go on from line to line have no need to ask.
 */
static void ask_behind(const struct vmr_lane_rx *rx)
{
    const unsigned char *record;

    if (rx->end - rx->tail <= rx->ask_ahead)
        return;
    record = (const void *)vmr_lane_record(rx, rx->tail + rx->ask_ahead);
    for (uint32_t line = 0; line < XEN_VM_RING_EVENT_FULL; line += 64)
        __builtin_prefetch(record + line);
}

/* The head was copied, and has no head's length. */
static enum vmr_pull pull_rest(struct vmr_lane_rx *rx,
                               struct xen_vm_ring_event *event)
{
    const struct xen_vm_ring_event *record = vmr_lane_record(rx, rx->tail);
    uint64_t state;
    /* false: torn, or a lie; the state tells which. */
    bool whole = event->length == XEN_VM_RING_EVENT_FULL &&
                 event->length <= rx->record_len;

    if (whole) {
        vmr_copy_from_shared(&event->regs, &record->regs, XEN_VM_RING_REGS_LEN);
        ask_behind(rx);
    }
    if (!vmr_lane_is_still(rx, record, DONE(rx->tail), &state))
        return overrun(rx, state);
    if (!whole)
        return broken(rx);
    rx->tail++;
    rx->taken++;
    return VMR_PULL_EVENT;
}

enum vmr_pull vmr_lane_pull_on(struct vmr_lane_rx *rx,
                               struct xen_vm_ring_event *event,
                               enum vmr_line line, uint64_t state)
{
    if (line == VMR_LINE_LAPPED) {
        /* Since we looked, perhaps; then head says by how much. */
        if (!look_at(rx, &rx->line->head) || rx->tail == rx->end)
            return broken(rx);
        line = vmr_lane_pull_line(rx, event, &state);
    }
    if (line == VMR_LINE_TAKEN)
        return VMR_PULL_EVENT;
    return line == VMR_LINE_LONGER ? pull_rest(rx, event) : overrun(rx, state);
}

enum vmr_pull vmr_lane_pull(struct vmr_lane_rx *rx,
                            struct xen_vm_ring_event *event)
{
    enum vmr_line line;
    uint64_t state;

    if (rx->broken)
        return VMR_PULL_BROKEN;
    if (rx->tail == rx->end) {
        if (!look_ahead(rx))
            return broken(rx);
        if (rx->tail == rx->end)
            return VMR_PULL_NONE;
    }
    line = vmr_lane_pull_line(rx, event, &state);
    return line == VMR_LINE_TAKEN ? VMR_PULL_EVENT
                                  : vmr_lane_pull_on(rx, event, line, state);
}

bool vmr_lane_is_drained(const struct vmr_lane_rx *rx)
{
    /* Only whether: what there is, a pull looks at (L2). */
    uint64_t ahead = vmr_load_relaxed(rx->shown) - rx->tail;

    return rx->tail == rx->end && (!ahead || (rx->overwritten && ahead >> 63));
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
