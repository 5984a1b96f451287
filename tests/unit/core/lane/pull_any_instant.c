/* SPDX-License-Identifier: MIT */
/*
 * Description: an overwriting producer that comes in between any two accesses
 * of a pull, by any distance, makes a gap and never a torn record; whether it
 * shows what it pushes at once, or later.
 */
#include "rig.h"

#include "instants.h"

#include "core/lane_pull.c"

#define SLOTS 4

static struct rig rig;
static uint64_t pushed, when, now, pushes;
static bool shown_late;

static void push(void)
{
    struct xen_vm_ring_event event = rig_event(1, 0, pushed++);

    event.length = XEN_VM_RING_EVENT_FULL;
    for (size_t i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
        event.regs.words[i] = event.time;
    CHECK(vmr_lane_push(&rig.tx.lanes[0], &event));
    if (!shown_late)
        vmr_lane_show(&rig.tx.lanes[0]);
}

static void come_in_between(void)
{
    if (now++ == when)
        for (uint64_t i = 0; i < pushes; i++)
            push();
}

static void whole(const struct xen_vm_ring_event *event, uint64_t position)
{
    CHECK_EQ(event->time, position);
    CHECK_EQ(event->length, XEN_VM_RING_EVENT_FULL);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(event->u.words[i], position);
    for (size_t i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
        CHECK_EQ(event->regs.words[i], position);
}

/* Until nothing is there; the positions that were missed. */
static uint64_t drain(struct vmr_lane_rx *rx)
{
    struct xen_vm_ring_event event;
    uint64_t next = rx->tail - rx->gap, missed = 0;
    enum vmr_pull pull;

    while ((pull = vmr_lane_pull(rx, &event)) != VMR_PULL_NONE) {
        if (pull == VMR_PULL_AGAIN)
            continue;
        CHECK_EQ(pull, VMR_PULL_EVENT);
        whole(&event, rx->tail - 1);
        CHECK_EQ(rx->gap, rx->tail - 1 - next);
        next = rx->tail;
        missed += rx->gap;
        rx->gap = 0;
    }
    return missed;
}

/* false: draining has fewer instants than that. */
static bool pull_at(const struct vmr_geometry *geo, uint64_t before)
{
    struct vmr_lane_rx *rx = &rig.rx.lanes[0];
    uint64_t missed;

    memset(rig.p, 0, geo->p_len);
    vmr_lane_tx_init(&rig.tx.lanes[0], geo, 0, rig.p, rig.c);
    vmr_lane_rx_init(rx, geo, 0, rig.p, rig.c);
    pushed = now = 0;
    for (uint64_t i = 0; i < before; i++)
        push();
    vmr_lane_show(&rig.tx.lanes[0]);
    at_instant = come_in_between;
    missed = drain(rx);
    at_instant = NULL;
    /* It sleeps on what has been shown, and no less. */
    CHECK_EQ(vmr_lane_is_drained(rx), shown_late || rx->tail == pushed);
    vmr_lane_show(&rig.tx.lanes[0]);
    CHECK_EQ(vmr_lane_is_drained(rx), rx->tail == pushed);
    missed += drain(rx);
    CHECK_EQ(rx->gap, 0);
    CHECK_EQ(rx->overwritten, missed);
    CHECK_EQ(rx->taken + missed, pushed);
    return now > when;
}

int main(void)
{
    struct vmr_geometry geo =
        rig_geometry(1, 1, XEN_VM_RING_POLICY_OVERWRITE, SLOTS);

    geo.record_len = 448;
    CHECK(vmr_geometry_lay_out(&geo, 2 * SLOTS * 448));
    rig_make(&rig, &geo);
    for (int late = 0; late < 2; late++) {
        shown_late = late;
        for (uint64_t before = 0; before <= 2 * SLOTS; before++)
            for (pushes = 1; pushes <= 2 * SLOTS + 1; pushes++)
                for (when = 0; pull_at(&geo, before); when++)
                    ;
    }
    return 0;
}
