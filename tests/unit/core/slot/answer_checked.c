/* SPDX-License-Identifier: MIT */
/*
 * Description: an answer with another reason, a flag that its reason does not
 * allow, a verdict that was not granted or an impossible length is ignored.
 */
#include "rig.h"

static struct rig rig;

/* Is this answer to a request of `reason` carried out? */
static bool counts(uint32_t reason, struct xen_vm_ring_response response,
                   uint32_t verdicts)
{
    struct vmr_geometry geo = rig_geometry(1, 1, 0, 2);
    struct vmr_request request = rig_request(0, 1, VMR_NO_DEADLINE);
    struct vmr_verdict verdict;
    bool collected;

    geo.verdicts = verdicts;
    rig_make(&rig, &geo);
    request.event.reason = (uint16_t)reason;
    CHECK(vmr_producer_post(&rig.tx, &request));
    vmr_slot_answer(&rig.rx.slots[0], 1, &response);
    *rig_answered(&rig, 0) |= 1;
    collected = rig_collect(&rig, &verdict);
    CHECK_EQ(rig.tx.ignored, !collected);
    if (collected)
        CHECK_EQ(verdict.response.flags,
                 response.flags & ~XEN_VM_RING_FLAGS_VOID);
    return collected;
}

static bool flags(uint32_t reason, uint32_t flag, uint32_t verdicts)
{
    /* #GP(0), if it injects at all. */
    struct xen_vm_ring_response response = {
        .reason = (uint16_t)reason,
        .flags = flag,
        .inject = {.vector = 13, .type = 3}};

    return counts(reason, response, verdicts);
}

#define ALL XEN_VM_RING_VERDICTS

int main(void)
{
    struct xen_vm_ring_response response = {.reason =
                                                XEN_VM_RING_REASON_MEM_ACCESS};
    uint32_t cr = XEN_VM_RING_REASON_WRITE_CTRLREG;
    uint32_t mem = XEN_VM_RING_REASON_MEM_ACCESS;

    CHECK(flags(cr, 0, 0)); /* observing needs no verdict */
    CHECK(flags(cr, XEN_VM_RING_FLAG_VCPU_PAUSED, 0));
    CHECK(flags(cr, XEN_VM_RING_FLAG_DENY, ALL));
    CHECK(!flags(cr, XEN_VM_RING_FLAG_DENY, ALL & ~XEN_VM_RING_VERDICT_DENY));
    CHECK(!flags(XEN_VM_RING_REASON_CPUID, XEN_VM_RING_FLAG_DENY, ALL));
    CHECK(!flags(cr, XEN_VM_RING_FLAG_EMULATE, ALL));
    CHECK(flags(mem, XEN_VM_RING_FLAG_EMULATE, ALL));
    CHECK(flags(cr, XEN_VM_RING_FLAG_INJECT, XEN_VM_RING_VERDICT_INJECT));
    CHECK(
        !flags(cr, XEN_VM_RING_FLAG_INJECT, ALL & ~XEN_VM_RING_VERDICT_INJECT));
    /* Fast single-step changes the altp2m view too: it needs both. */
    CHECK(!flags(mem, XEN_VM_RING_FLAG_FAST_SINGLESTEP,
                 XEN_VM_RING_VERDICT_STEP));
    CHECK(!flags(mem, XEN_VM_RING_FLAG_FAST_SINGLESTEP,
                 XEN_VM_RING_VERDICT_ALTP2M));
    CHECK(flags(mem, XEN_VM_RING_FLAG_FAST_SINGLESTEP,
                XEN_VM_RING_VERDICT_STEP | XEN_VM_RING_VERDICT_ALTP2M));
    CHECK(!flags(mem, XEN_VM_RING_FLAG_REPOSTED, ALL));
    CHECK(!flags(mem, XEN_VM_RING_FLAG_NESTED_P2M, ALL));
    CHECK(!flags(mem, XEN_VM_RING_FLAG_REGS_CUT, ALL));
    CHECK(!flags(mem, XEN_VM_RING_FLAG_REGS_PARTIAL, ALL));
    CHECK(!flags(mem, XEN_VM_RING_FLAG_COMPLETED, ALL));
    CHECK(!flags(mem, XEN_VM_RING_FLAG_NOT_ADVANCED, ALL));
    CHECK(flags(mem, XEN_VM_RING_FLAG_CONTINUE, XEN_VM_RING_VERDICT_CONTINUE));
    CHECK(!flags(mem, XEN_VM_RING_FLAG_CONTINUE, XEN_VM_RING_VERDICTS_1_0));
    CHECK(!flags(mem, 1U << 31, ALL));
    /* A reserved word may mean something one day. */
    response.reserved[1] = 1;
    CHECK(!counts(mem, response, ALL));
    response.reserved[1] = 0;
    CHECK(counts(mem, response, ALL));
    /* One tail for both. */
    CHECK(!flags(mem,
                 XEN_VM_RING_FLAG_SET_EMUL_READ_DATA |
                     XEN_VM_RING_FLAG_SET_EMUL_INSN_DATA,
                 ALL));
    CHECK(!flags(mem,
                 XEN_VM_RING_FLAG_SET_REGISTERS |
                     XEN_VM_RING_FLAG_SET_EMUL_INSN_DATA,
                 ALL));

    /* Emulation is for what can be emulated, and data for what reads it. */
    CHECK(flags(XEN_VM_RING_REASON_DESCRIPTOR_ACCESS, XEN_VM_RING_FLAG_EMULATE,
                ALL));
    CHECK(!flags(XEN_VM_RING_REASON_DESCRIPTOR_ACCESS,
                 XEN_VM_RING_FLAG_SET_EMUL_INSN_DATA, ALL));
    CHECK(flags(XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT,
                XEN_VM_RING_FLAG_SET_EMUL_INSN_DATA, ALL));
    CHECK(!flags(XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT,
                 XEN_VM_RING_FLAG_SET_EMUL_READ_DATA, ALL));
    CHECK(flags(XEN_VM_RING_REASON_MOV_TO_MSR, XEN_VM_RING_FLAG_DENY, ALL));

    response.reason = XEN_VM_RING_REASON_CPUID;
    CHECK(!counts(mem, response, ALL));
    response.reason = (uint16_t)mem;
    response.flags = XEN_VM_RING_FLAG_SET_EMUL_READ_DATA;
    response.data.emul_read.size = XEN_VM_RING_REGS_LEN - 4;
    CHECK(counts(mem, response, ALL));
    response.data.emul_read.size++;
    CHECK(!counts(mem, response, ALL));
    response.data.emul_read.size = UINT32_MAX;
    CHECK(!counts(mem, response, ALL));

    /* Vector, type, code and length together: verdict_inject.c has them all. */
    response.flags = XEN_VM_RING_FLAG_INJECT;
    memset(&response.inject, 0, sizeof(response.inject));
    response.inject.vector = 14;
    response.inject.type = 3;
    CHECK(counts(mem, response, ALL));
    response.inject.error_code = UINT32_MAX;
    CHECK(!counts(mem, response, ALL));
    return 0;
}
