/* SPDX-License-Identifier: MIT */
/*
 * Description: at any instant of a push, as one that is never ended, with and
 * without registers, and of a record that is filled in its lane: what
 * head says is there is whole, attempts = head + lost, and a record that is
 * being written says so.
 */
#include "rig.h"

#include "instants.h"

#include "core/lane_push.c"

#define SLOTS 4

static struct rig rig;
static uint64_t attempts, instants;
static enum { WHOLE, IN_PLACE, LINE } how;

static void look_at_records(void)
{
    const struct xen_vm_ring_lane *line = rig_lane(&rig, 0);
    struct vmr_lane_rx rx = rig.rx.lanes[0];
    struct xen_vm_ring_event event;

    instants++;
    /* An attempt is one or the other, at once. */
    CHECK(line->head + line->lost == attempts ||
          line->head + line->lost == attempts - 1);
    rx.tail = rx.end = rig_cursor(&rig, 0)->cons;
    rx.cursor = NULL;
    /* As whoever comes after it. */
    vmr_lane_rx_to_head(&rx);
    for (;;) {
        enum vmr_pull pull = vmr_lane_pull(&rx, &event);

        if (pull == VMR_PULL_NONE)
            break;
        if (rig.geo.loss_policy == XEN_VM_RING_POLICY_OVERWRITE &&
            pull == VMR_PULL_AGAIN)
            continue;
        CHECK_EQ(pull, VMR_PULL_EVENT);
        for (int i = 0; i < 4; i++)
            CHECK_EQ(event.u.words[i], rx.tail - 1);
        if (how != LINE)
            CHECK_EQ(event.regs.words[XEN_VM_RING_REGS_LEN / 8 - 1],
                     rx.tail - 1);
    }
    CHECK_EQ(rx.tail, line->head);
}

/* What each slot says of itself, without head. */
static void look_at_states(void)
{
    for (uint64_t i = 0; i < SLOTS; i++) {
        const struct xen_vm_ring_event *record =
            (void *)(rig.p + rig.geo.record_off + i * rig.geo.record_len);
        uint64_t state = record->state;

        if (!state || (state & 1))
            continue;
        CHECK_EQ((state / 2 - 1) % SLOTS, i);
        CHECK_EQ(record->time, state / 2 - 1);
        CHECK_EQ(record->u.words[3], state / 2 - 1);
        if (how != LINE)
            CHECK_EQ(record->regs.words[XEN_VM_RING_REGS_LEN / 8 - 1],
                     state / 2 - 1);
    }
}

static void look(void)
{
    look_at_records();
    /* A lane that is not overwritten has no reader of the old record. */
    if (rig.geo.loss_policy == XEN_VM_RING_POLICY_OVERWRITE ||
        rig_lane(&rig, 0)->head < SLOTS)
        look_at_states();
}

/* Each word by itself, as a hypervisor does. */
static bool push_in_place(struct vmr_lane_tx *tx,
                          const struct xen_vm_ring_event *event)
{
    union xen_vm_ring_tail *regs;

    if (!vmr_lane_reserve(tx, event, &regs))
        return false;
    for (size_t i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
        vmr_store_relaxed(&regs->words[i], event->regs.words[i]);
    vmr_lane_commit(tx);
    return true;
}

/* As the producer does, of an event without registers. */
static bool push_line(struct vmr_lane_tx *tx,
                      const struct xen_vm_ring_event *event)
{
    if (!vmr_lane_has_room(tx) && !vmr_lane_make_room(tx))
        return false;
    vmr_lane_push_line(tx, event);
    return true;
}

static bool push(struct vmr_lane_tx *tx, struct xen_vm_ring_event *event)
{
    if (how == IN_PLACE)
        return push_in_place(tx, event);
    if (how == WHOLE)
        return vmr_lane_push(tx, event);
    event->length = XEN_VM_RING_EVENT_HEAD;
    return push_line(tx, event);
}

static void push_all(uint32_t policy)
{
    struct vmr_geometry geo = rig_geometry(1, 1, policy, SLOTS);
    struct xen_vm_ring_event event;
    uint64_t published = 0;

    geo.record_len = 448;
    CHECK(vmr_geometry_lay_out(&geo, 2 * SLOTS * 448));
    CHECK_EQ(geo.nr_records, SLOTS);
    rig_make(&rig, &geo);
    attempts = 0;
    for (int round = 0; round < 20; round++) {
        event = rig_event(1, 0, published);
        event.length = XEN_VM_RING_EVENT_FULL;
        for (size_t i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
            event.regs.words[i] = published;
        attempts++;
        at_instant = look;
        published += push(&rig.tx.lanes[0], &event);
        at_instant = NULL;
        look();
        if (round % 7 == 6) {
            rig.rx.lanes[0].tail = published;
            vmr_lane_publish_cursor(&rig.rx.lanes[0]);
        }
    }
    CHECK(policy == XEN_VM_RING_POLICY_OVERWRITE ? published == 20
                                                 : published == 12);
}

int main(void)
{
    for (how = WHOLE; how <= LINE; how++) {
        instants = 0;
        push_all(XEN_VM_RING_POLICY_DISCARD);
        push_all(XEN_VM_RING_POLICY_OVERWRITE);
        CHECK(instants > 20 * (how == LINE ? 10 : 40));
    }
    return 0;
}
