/* SPDX-License-Identifier: MIT */
/*
 * Description: at an attach what is pending is posted again under a seq that
 * was never used, marked if it had been visible; old answers do not count.
 */
#include "rig.h"

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 2);
    struct xen_vm_ring_event event;
    struct xen_vm_ring_response *old;
    struct vmr_verdict verdict;
    struct vmr_request request;
    uint64_t first;
    uint32_t where;

    rig_make(&rig, &geo);
    for (uint64_t i = 0; i < 2; i++) {
        request = rig_request(1, 10 + i, VMR_NO_DEADLINE);
        CHECK(vmr_producer_post(&rig.tx, &request));
    }
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_REQUEST);
    CHECK(!(event.flags & XEN_VM_RING_FLAG_REPOSTED));
    first = event.state;
    old = rig_response(&rig, 1);

    /* The consumer dies; what it writes later is nothing to us. */
    vmr_producer_sweep(&rig.tx);
    CHECK(!rig_collect(&rig, &verdict));
    CHECK(!rig.tx.attached);
    rig_attach(&rig);
    old->reason = XEN_VM_RING_REASON_CPUID;
    old->seq = first;
    CHECK(!rig_collect(&rig, &verdict));

    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_REQUEST);
    CHECK_EQ(where, 1);
    CHECK_EQ(event.u.words[0], 10);
    CHECK(event.flags & XEN_VM_RING_FLAG_REPOSTED);
    CHECK(event.state > first && (event.state & 1));
    /* The old seq, in the new C. */
    rig_response(&rig, 1)->reason = XEN_VM_RING_REASON_CPUID;
    rig_response(&rig, 1)->seq = first;
    *rig_answered(&rig, 0) |= 2;
    CHECK(!rig_collect(&rig, &verdict));
    (void)rig_answer(&rig, &event, 1);
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.request.cookie, 10);

    /* The one behind it had never been visible. */
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_REQUEST);
    CHECK_EQ(event.u.words[0], 11);
    CHECK(!(event.flags & XEN_VM_RING_FLAG_REPOSTED));
    return 0;
}
