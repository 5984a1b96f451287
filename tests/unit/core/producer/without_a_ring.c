/* SPDX-License-Identifier: MIT */
/*
 * Description: a producer that no consumer has ever attached to takes events
 * and calls, and does nothing with them, wherever its memory begins.
 */
#include "rig.h"

static void try_with(void *memory)
{
    struct xen_vm_ring_event event =
        rig_event(XEN_VM_RING_REASON_MOV_TO_MSR, 1, 2);
    struct vmr_request request = rig_request(0, 1, 1000);
    struct vmr_verdict verdict;
    union xen_vm_ring_tail *regs;
    struct vmr_producer tx;

    vmr_producer_init(&tx, memory, 2, 2);
    CHECK(!vmr_producer_push(&tx, 1, &event));
    CHECK(!vmr_producer_push_own(&tx, 1, &event));
    CHECK(!vmr_producer_reserve_own(&tx, 1, &event, &regs));
    CHECK(!vmr_producer_flush_own(&tx, 1));
    CHECK_EQ(vmr_producer_flush(&tx), 0);
    CHECK_EQ(vmr_producer_wake(&tx), 0);
    CHECK(vmr_producer_arm(&tx));
    vmr_producer_freeze(&tx);
    vmr_producer_sweep(&tx);
    vmr_producer_set_target(&tx, XEN_VM_RING_TARGET_PAUSED, 0);
    vmr_producer_set_state(&tx, XEN_VM_RING_PRODUCER_CLOSED);
    CHECK(vmr_producer_post(&tx, &request));
    CHECK(!vmr_producer_collect(&tx, 999, &verdict));
    CHECK(vmr_producer_collect(&tx, 1000, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_DEADLINE);
    CHECK(!vmr_producer_collect(&tx, 2000, &verdict));
}

int main(void)
{
    size_t len = vmr_producer_size(2, 2);
    unsigned char *memory;

    /* Exactly as long as it says, on a line and beside one. */
    for (size_t skew = 0; skew < XEN_VM_RING_LINE; skew += 8) {
        size_t whole = (len + skew + XEN_VM_RING_LINE - 1) / XEN_VM_RING_LINE *
                       XEN_VM_RING_LINE;

        memory = aligned_alloc(XEN_VM_RING_LINE, whole);
        CHECK(memory);
        memset(memory, 0, whole);
        try_with(memory + skew);
        for (size_t i = 0; i < skew; i++)
            CHECK_EQ(memory[i], 0);
        for (size_t i = skew + len; i < whole; i++)
            CHECK_EQ(memory[i], 0);
        free(memory);
    }
    return 0;
}
