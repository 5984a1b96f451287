/* SPDX-License-Identifier: MIT */
/*
 * Description: with pause at the deadline a request is told overdue once and
 * stays, until its answer, or the release, gives it its verdict.
 */
#include "rig.h"

static struct rig rig;
static struct vmr_verdict verdict;

static void post(uint32_t vcpu, uint64_t cookie, uint64_t deadline)
{
    struct vmr_request request = rig_request(vcpu, cookie, deadline);

    CHECK(vmr_producer_post(&rig.tx, &request));
}

static void told_once(void)
{
    post(0, 1, 100);
    post(0, 2, 100); /* behind it */
    post(1, 3, 120);
    rig.now = 110;
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_OVERDUE);
    CHECK_EQ(verdict.request.cookie, 1);
    CHECK(!rig_collect(&rig, &verdict));
    CHECK(!rig_collect(&rig, &verdict));
    CHECK_EQ(rig.tx.next_deadline, 120);
    rig.now = 120;
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.request.cookie, 3);
    CHECK(!rig_collect(&rig, &verdict));
    rig.now = 10000;
    CHECK(!rig_collect(&rig, &verdict));
    CHECK(!rig_collect(&rig, &verdict));
    CHECK_EQ(rig.tx.next_deadline, VMR_NO_DEADLINE);
}

/* The answer comes late, and counts. */
static void answered_late(void)
{
    struct xen_vm_ring_event event;
    uint32_t where;

    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_REQUEST);
    (void)rig_answer(&rig, &event, 0);
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_CONSUMER);
    CHECK_EQ(verdict.request.cookie, 1);
    CHECK(verdict.request.overdue);
    /* What waited behind is overdue at once, and says so. */
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_OVERDUE);
    CHECK_EQ(verdict.request.cookie, 2);
    CHECK(!rig_collect(&rig, &verdict));
}

/* The release is for those too that wait behind another. */
static void released(void)
{
    post(0, 4, 20000);
    vmr_producer_sweep(&rig.tx);
    vmr_producer_release(&rig.tx);
    for (int i = 0; i < 3; i++) {
        CHECK(rig_collect(&rig, &verdict));
        CHECK_EQ(verdict.by, VMR_BY_DETACH);
    }
    CHECK(!rig_collect(&rig, &verdict));
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 2);

    rig_make(&rig, &geo);
    rig.tx.pause_overdue = true;
    told_once();
    answered_late();
    released();
    return 0;
}
