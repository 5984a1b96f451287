/* SPDX-License-Identifier: MIT */
/*
 * Description: a request that is posted, or comes forward, behind the vCPU
 * that the search for what is due is at, has its deadline as any other.
 */
#include "rig.h"

static struct rig rig;

static void post(uint32_t vcpu, uint64_t deadline)
{
    struct vmr_request request = rig_request(vcpu, deadline, deadline);

    CHECK(vmr_producer_post(&rig.tx, &request));
}

static void expires(uint32_t vcpu, uint64_t deadline)
{
    struct vmr_verdict verdict;

    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_DEADLINE);
    CHECK_EQ(verdict.request.event.vcpu, vcpu);
    CHECK_EQ(verdict.request.deadline, deadline);
}

static void nothing_until(uint64_t now)
{
    struct vmr_verdict verdict;

    CHECK(!rig_collect(&rig, &verdict));
    CHECK(rig.tx.next_deadline <= now);
    rig.now = now - 1;
    CHECK(!rig_collect(&rig, &verdict));
    CHECK(rig.tx.next_deadline <= now);
    rig.now = now;
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(100, 1, 0, 2);

    rig_make(&rig, &geo);
    post(50, 100);
    post(50, 300); /* behind it */
    post(60, 100);
    post(70, 500);
    rig.now = 100;
    expires(50, 100);
    post(10, 200); /* its vCPU has been passed */
    expires(60, 100);
    nothing_until(200);
    expires(10, 200);
    nothing_until(300);
    expires(50, 300);
    nothing_until(500);
    expires(70, 500);
    return 0;
}
