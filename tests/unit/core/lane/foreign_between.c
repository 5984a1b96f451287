/* SPDX-License-Identifier: MIT */
/*
 * Description: the lane of no vCPU, step by step: who freezes it, or ends a
 * sweep, while a push has it comes again; a push into a P that is frozen writes
 * nothing there and is in the next one's ledger; one that was frozen for nobody
 * goes on.  What found the lock taken is published, and never read back.
 */
#include "rig.h"

#define FOREIGN 2

static struct rig rig;

static bool push(void)
{
    struct xen_vm_ring_event event = rig_event(1, 0, 1);

    return vmr_producer_push(&rig.tx, FOREIGN, &event);
}

static uint64_t contended(void)
{
    return rig_lane(&rig, FOREIGN)->lost_contended;
}

static void lock(bool taken)
{
    rig.tx.foreign.lock = taken;
}

static void begin(void)
{
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 4);

    rig_make(&rig, &geo);
}

/* Without a ring nothing is counted: there is no ledger. */
static void before_any_ring(void)
{
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 4);
    unsigned char *p = guarded(geo.p_len), *c = guarded(geo.c_len);
    void *memory = calloc(1, vmr_producer_size(2, 3));
    struct xen_vm_ring_event event = rig_event(1, 0, 1);
    static struct vmr_producer tx;
    const struct xen_vm_ring_lane *line;

    CHECK(memory);
    vmr_producer_init(&tx, memory, 2, 3);
    CHECK(!vmr_producer_push(&tx, FOREIGN, &event));
    vmr_geometry_publish(&geo, (void *)p);
    vmr_producer_attach(&tx, &geo, p, c);
    CHECK(vmr_producer_push(&tx, FOREIGN, &event));
    (void)vmr_producer_flush(&tx);
    line = (const void *)(p + geo.lane_off + FOREIGN * XEN_VM_RING_LANE);
    CHECK_EQ(line->head, 1);
    CHECK_EQ(line->lost_contended, 0);
    free(memory);
}

static void published_by_the_next(void)
{
    begin();
    lock(true);
    CHECK(!push());
    CHECK(!push());
    CHECK_EQ(contended(), 0);
    lock(false);
    rig_lane(&rig, FOREIGN)->lost_contended = 1000; /* nobody reads it */
    CHECK(push());
    CHECK_EQ(contended(), 2);
    CHECK_EQ(rig_lane(&rig, FOREIGN)->lost, 0);
}

static void frozen_too_early(void)
{
    begin();
    CHECK(push());
    lock(true);
    CHECK(!push());
    CHECK(!vmr_producer_freeze(&rig.tx));
    CHECK_EQ(((struct xen_vm_ring_header *)(void *)rig.p)->producer_state,
             XEN_VM_RING_PRODUCER_LIVE);
    lock(false);
    rig_cursor(&rig, FOREIGN)->cons = 1;
    CHECK(vmr_producer_freeze(&rig.tx));
    CHECK_EQ(contended(), 1);
    CHECK_EQ(rig_lane(&rig, FOREIGN)->resume, 1);
    /* Nothing writes there any more. */
    CHECK(!push());
    CHECK_EQ(rig_lane(&rig, FOREIGN)->head, 1);
    CHECK_EQ(contended(), 1);
    rig_attach(&rig);
    CHECK(push());
    CHECK_EQ(rig_lane(&rig, FOREIGN)->head, 1);
    CHECK_EQ(contended(), 1); /* that one, and not those before */
    rig_attach(&rig);
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(contended(), 0);
}

static void swept_too_early(void)
{
    struct vmr_verdict verdict;

    begin();
    CHECK(push());
    vmr_producer_sweep(&rig.tx);
    lock(true);
    for (int i = 0; i < 3; i++) {
        CHECK(!rig_collect(&rig, &verdict));
        CHECK(rig.tx.attached && rig.tx.sweeping);
    }
    lock(false);
    CHECK(!rig_collect(&rig, &verdict));
    CHECK(!rig.tx.attached && !rig.tx.sweeping);
    CHECK(push()); /* into the last P */
}

static void frozen_for_nobody(void)
{
    begin();
    CHECK(vmr_producer_freeze(&rig.tx));
    CHECK(!push());
    vmr_producer_thaw(&rig.tx);
    CHECK_EQ(((struct xen_vm_ring_header *)(void *)rig.p)->producer_state,
             XEN_VM_RING_PRODUCER_LIVE);
    CHECK(push());
    CHECK_EQ(rig_lane(&rig, FOREIGN)->head, 1);
    CHECK_EQ(contended(), 1);
}

int main(void)
{
    before_any_ring();
    published_by_the_next();
    frozen_too_early();
    swept_too_early();
    frozen_for_nobody();
    return 0;
}
