/* SPDX-License-Identifier: MIT */
/*
 * lane_pull.h: how a record gets out of a lane, and the commonest one without
 * a call: of one line, and known to have been shown.
 */
#ifndef VMRING_CORE_LANE_PULL_H
#define VMRING_CORE_LANE_PULL_H

#include "atomic.h"
#include "lane_record.h"

/* What became of the record at the tail. */
enum vmr_line {
    VMR_LINE_TAKEN,   /* it was of one line */
    VMR_LINE_LAPPED,  /* it is not there; nothing was copied */
    VMR_LINE_LONGER,  /* its head was copied, and has another length */
    VMR_LINE_CHANGED, /* it was there, and is no more */
};

static inline const struct xen_vm_ring_event *
vmr_lane_record(const struct vmr_lane_rx *rx, uint64_t position)
{
    uint64_t slot = position & rx->mask;

    return (const void *)(rx->records + slot * rx->record_len);
}

/* Is what was copied the record of state `done`, all of it?  *state if not. */
static inline bool vmr_lane_is_still(const struct vmr_lane_rx *rx,
                                     const struct xen_vm_ring_event *record,
                                     uint64_t done, uint64_t *state)
{
    if (rx->loss_policy != XEN_VM_RING_POLICY_OVERWRITE)
        return true;
    /*
     * If a word of the copy came from the next round, this load sees its BUSY
     * or later.  Pairs with the release fence in vmr_lane_open_slot() (L5).
     */
    vmr_fence_acquire();
    *state = vmr_load_relaxed(&record->state);
    return *state == done;
}

/*
 * Takes the record at the tail, which is not rx->end, of a lane that is not
 * broken.  What it leaves to be done vmr_lane_pull_on() does, which is told
 * *state, the last that was seen of the record.
 */
static inline __attribute__((__always_inline__)) enum vmr_line
vmr_lane_pull_line(struct vmr_lane_rx *rx, struct xen_vm_ring_event *event,
                   uint64_t *state)
{
    uint64_t tail = rx->tail, done = DONE(tail);
    const struct xen_vm_ring_event *record = vmr_lane_record(rx, tail);

    /*
     * Stored by vmr_lane_close_slot() (L4).  Relaxed: the tail is below a head
     * that was acquired, so its record is there; only L5 says that it still is.
     */
    *state = vmr_load_relaxed(&record->state);
    if (*state != done)
        return VMR_LINE_LAPPED;
    event->state = done;
    vmr_copy_from_shared(&event->time, &record->time,
                         HEAD_LEN - sizeof(event->state));
    if (event->length != HEAD_LEN)
        return VMR_LINE_LONGER;
    if (!vmr_lane_is_still(rx, record, done, state))
        return VMR_LINE_CHANGED;
    rx->tail = tail + 1;
    rx->taken++;
    return VMR_LINE_TAKEN;
}

/* lane_pull.c: goes on with what was not taken; as vmr_lane_pull(). */
enum vmr_pull vmr_lane_pull_on(struct vmr_lane_rx *rx,
                               struct xen_vm_ring_event *event,
                               enum vmr_line line, uint64_t state);

#endif /* VMRING_CORE_LANE_PULL_H */
