/* SPDX-License-Identifier: MIT */
/*
 * Description: a request is answered once: a second answer is refused and
 * writes nothing, so no flags are ever read with the body of another answer.
 */
#include "rig.h"

int main(void)
{
    static struct rig rig;
    struct vmr_geometry geo = rig_geometry(1, 1, 0, 2);
    struct vmr_request request = rig_request(0, 1, VMR_NO_DEADLINE);
    struct xen_vm_ring_response response = {.reason = XEN_VM_RING_REASON_CPUID,
                                            .flags =
                                                XEN_VM_RING_FLAG_SET_REGISTERS};
    struct xen_vm_ring_response before;
    struct xen_vm_ring_event event;
    struct vmr_verdict verdict;
    uint32_t where;

    rig_make(&rig, &geo);
    for (uint64_t seq = 1; seq < 6; seq += 2) {
        CHECK(vmr_producer_post(&rig.tx, &request));
        (void)vmr_producer_flush(&rig.tx);
        CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where),
                 VMR_NEXT_REQUEST);
        CHECK_EQ(event.state, seq);
        response.data.x86.rax = seq;
        CHECK(!vmr_consumer_is_answered(&rig.rx, 0, seq));
        CHECK(vmr_consumer_answer(&rig.rx, 0, seq, &response));
        CHECK(vmr_consumer_is_answered(&rig.rx, 0, seq));
        before = *rig_response(&rig, 0);
        response.data.x86.rax = 1000;
        CHECK(!vmr_consumer_answer(&rig.rx, 0, seq, &response));
        CHECK(!memcmp(&before, rig_response(&rig, 0), sizeof(before)));
        (void)vmr_consumer_flush(&rig.rx, 0);
        CHECK(rig_collect(&rig, &verdict));
        CHECK_EQ(verdict.response.data.x86.rax, seq);
        CHECK(!vmr_consumer_answer(&rig.rx, 0, seq, &response));
    }
    return 0;
}
