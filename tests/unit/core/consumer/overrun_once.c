/* SPDX-License-Identifier: MIT */
/*
 * Description: one record that is overrun, at the last of a call's looks,
 * begins no batch without an end; and what was overrun does not count for a
 * batch.
 */
#include "rig.h"

#define LANES   128u /* as many as a call has looks */
#define LAST    (LANES - 1)
#define RECORDS 64u
#define BATCH   32

static struct rig rig;
static struct xen_vm_ring_event event;

static void make(uint32_t nr_lanes)
{
    struct vmr_geometry geo =
        rig_geometry(nr_lanes, 1, XEN_VM_RING_POLICY_OVERWRITE, RECORDS);

    rig_make(&rig, &geo);
}

static void push(uint32_t lane, unsigned int nr)
{
    event = rig_event(1, lane, 1);
    for (unsigned int i = 0; i < nr; i++)
        CHECK(vmr_producer_push(&rig.tx, lane, &event));
    (void)vmr_producer_flush(&rig.tx);
}

/* How many records of a lane come before anything else; what that is. */
static unsigned int records_of(uint32_t lane, enum vmr_next *next,
                               uint32_t *where)
{
    unsigned int nr = 0;

    while ((*next = vmr_consumer_next(&rig.rx, 0, &event, where)) ==
               VMR_NEXT_RECORD &&
           *where == lane)
        CHECK(++nr <= RECORDS);
    return nr;
}

/* Its producer is amid a push, which ends, and stands still then. */
static void overrun_at_the_last_look(void)
{
    struct vmr_request request = rig_request(1, 7, VMR_NO_DEADLINE);
    union xen_vm_ring_tail *regs;
    enum vmr_next next;
    uint32_t where;
    unsigned int nr;

    make(LANES);
    push(LAST, RECORDS);
    event = rig_event(1, LAST, 1);
    CHECK(vmr_lane_reserve(&rig.tx.lanes[LAST], &event, &regs));
    for (int call = 0; call < 4 && !rig.rx.lanes[LAST].tail; call++)
        CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_AGAIN);
    CHECK_EQ(rig.rx.lanes[LAST].tail, 1);
    vmr_lane_commit(&rig.tx.lanes[LAST]);
    CHECK(vmr_producer_post(&rig.tx, &request));
    push(0, 1);
    /* In whichever turn; but all of them come, and none twice. */
    nr = records_of(LAST, &next, &where);
    CHECK(nr <= BATCH);
    CHECK_EQ(next, VMR_NEXT_REQUEST);
    CHECK_EQ(where, 1);
    nr += records_of(LAST, &next, &where);
    CHECK_EQ(next, VMR_NEXT_RECORD);
    CHECK_EQ(where, 0);
    nr += records_of(LAST, &next, &where);
    CHECK_EQ(next, VMR_NEXT_NONE);
    /* One was overrun; and nobody has told of the one in its place. */
    CHECK_EQ(nr, RECORDS - 1);
}

/* A lane that was lapped since it was seen has a batch as any other. */
static void lapped_before_its_turn(void)
{
    enum vmr_next next;
    uint32_t where;

    make(2);
    push(0, RECORDS);
    push(1, 1);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_RECORD);
    CHECK_EQ(where, 0);
    push(0, 2 * RECORDS);
    CHECK_EQ(records_of(0, &next, &where), BATCH - 1);
    CHECK_EQ(where, 1);
    /* And one that is lapped as it is come to. */
    push(0, 2 * RECORDS);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_RECORD);
    CHECK_EQ(where, 0);
    push(1, 1);
    CHECK_EQ(records_of(0, &next, &where), BATCH - 1);
    CHECK_EQ(where, 1);
}

int main(void)
{
    overrun_at_the_last_look();
    lapped_before_its_turn();
    return 0;
}
