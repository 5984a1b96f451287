/* SPDX-License-Identifier: MIT */
/*
 * Description: a record is taken when a flush has shown it, not before; of a
 * producer that has gone also what it never flushed.  The foreign lane's are
 * shown at once.
 */
#include "rig.h"

#define FOREIGN 2

static struct rig rig;

static void push(uint32_t lane, uint64_t number)
{
    struct xen_vm_ring_event event = rig_event(1, lane, number);

    CHECK(vmr_producer_push(&rig.tx, lane, &event));
}

static void push_own(uint32_t lane, uint64_t number)
{
    struct xen_vm_ring_event event = rig_event(1, lane, number);

    CHECK(vmr_producer_push_own(&rig.tx, lane, &event));
}

/* The number of the next record, or 0. */
static uint64_t next(uint32_t *where)
{
    struct xen_vm_ring_event event;

    if (vmr_consumer_next(&rig.rx, 0, &event, where) != VMR_NEXT_RECORD)
        return 0;
    return event.u.words[0];
}

static void shown_by_flush(void)
{
    uint32_t where;

    CHECK_EQ(next(&where), 0); /* the first pass */
    push(0, 1);
    push(0, 2);
    push_own(1, 3);
    CHECK_EQ(next(&where), 0);
    CHECK_EQ(rig_lane(&rig, 0)->head, 2);
    CHECK_EQ(rig_lane(&rig, 0)->shown, 0);
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(next(&where), 1);
    push(0, 4);
    CHECK_EQ(next(&where), 2);
    CHECK_EQ(next(&where), 0);
    (void)vmr_producer_flush_own(&rig.tx, 1);
    CHECK_EQ(next(&where), 3);
    CHECK_EQ(where, 1);
    CHECK_EQ(next(&where), 0);
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(next(&where), 4);
    CHECK_EQ(next(&where), 0);
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    vmr_consumer_disarm(&rig.rx, 0);
}

static void foreign(void)
{
    uint32_t where;

    push(FOREIGN, 5);
    CHECK_EQ(rig_lane(&rig, FOREIGN)->shown, 1);
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    CHECK_EQ(vmr_producer_flush(&rig.tx), 1); /* rings */
    CHECK_EQ(next(&where), 5);
    CHECK_EQ(where, FOREIGN);
    CHECK_EQ(next(&where), 0);
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    CHECK_EQ(vmr_producer_flush(&rig.tx), 0); /* nothing new to ring for */
    vmr_consumer_disarm(&rig.rx, 0);
    /* Another's push, amid its flush: what was shown stays shown. */
    push(FOREIGN, 6);
    rig.tx.lanes[FOREIGN].head--;
    (void)vmr_producer_flush(&rig.tx);
    rig.tx.lanes[FOREIGN].head++;
    CHECK_EQ(rig_lane(&rig, FOREIGN)->shown, 2);
    CHECK_EQ(next(&where), 6);
}

/* As many in the next epoch as in the one before. */
static void attached_anew(void)
{
    uint32_t where;

    rig_attach(&rig);
    CHECK_EQ(next(&where), 0);
    CHECK(vmr_consumer_arm(&rig.rx, 0));
    for (uint64_t i = 1; i <= 2; i++)
        push(FOREIGN, i);
    CHECK_EQ(vmr_producer_flush(&rig.tx), 1);
    CHECK_EQ(next(&where), 1);
    CHECK_EQ(next(&where), 2);
    CHECK_EQ(next(&where), 0);
}

/* Whatever was shown before it came, and whether a bit says so or not. */
static void first_pass(void)
{
    uint32_t where;

    rig_attach(&rig);
    push(1, 7);
    push(FOREIGN, 8);
    (void)vmr_producer_flush(&rig.tx);
    rig.rx.groups[0].bell.attn_lane[0] = 0;
    CHECK_EQ(next(&where), 7);
    CHECK_EQ(where, 1);
    CHECK_EQ(next(&where), 8);
    CHECK_EQ(where, FOREIGN);
    CHECK_EQ(next(&where), 0);
}

static void gone(void)
{
    uint32_t where;

    push(0, 9);
    CHECK_EQ(next(&where), 0);
    vmr_consumer_rescan(&rig.rx, 0);
    CHECK_EQ(next(&where), 9);
    CHECK_EQ(where, 0);
    CHECK_EQ(next(&where), 0);
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(2, 1, XEN_VM_RING_POLICY_DISCARD, 8);

    CHECK_EQ(geo.nr_lanes, 3);
    rig_make(&rig, &geo);
    shown_by_flush();
    foreign();
    attached_anew();
    first_pass();
    gone();
    return 0;
}
