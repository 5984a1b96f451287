/* SPDX-License-Identifier: MIT */
/*
 * Description: an answer with another reason, a flag that its reason does not
 * allow, a verdict that was not negotiated or an impossible length is ignored.
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

#define ALL         XEN_VM_RING_VERDICTS
#define REASON(one) XEN_VM_RING_REASON_##one
#define FLAG(one)   XEN_VM_RING_FLAG_##one
#define RIGHT(one)  XEN_VM_RING_VERDICT_##one

/* An answer with these flags, to a request of this reason. */
static const struct {
    const char *row;
    uint32_t reason, flags, verdicts;
    bool counts;
} flags[] = {
    {"observing needs no verdict", REASON(WRITE_CTRLREG), 0, 0, true},
    {"paused", REASON(WRITE_CTRLREG), FLAG(VCPU_PAUSED), 0, true},
    {"deny", REASON(WRITE_CTRLREG), FLAG(DENY), ALL, true},
    {"deny, not negotiated", REASON(WRITE_CTRLREG), FLAG(DENY),
     ALL & ~RIGHT(DENY), false},
    {"deny cpuid", REASON(CPUID), FLAG(DENY), ALL, false},
    {"deny msr", REASON(MOV_TO_MSR), FLAG(DENY), ALL, true},
    {"inject", REASON(WRITE_CTRLREG), FLAG(INJECT), RIGHT(INJECT), true},
    {"inject, not negotiated", REASON(WRITE_CTRLREG), FLAG(INJECT),
     ALL & ~RIGHT(INJECT), false},
    /* Fast single-step changes the altp2m view too: it needs both. */
    {"fast step, no altp2m", REASON(MEM_ACCESS), FLAG(FAST_SINGLESTEP),
     RIGHT(STEP), false},
    {"fast step, no step", REASON(MEM_ACCESS), FLAG(FAST_SINGLESTEP),
     RIGHT(ALTP2M), false},
    {"fast step", REASON(MEM_ACCESS), FLAG(FAST_SINGLESTEP),
     RIGHT(STEP) | RIGHT(ALTP2M), true},
    {"continue", REASON(MEM_ACCESS), FLAG(CONTINUE), RIGHT(CONTINUE), true},
    {"continue, not negotiated", REASON(MEM_ACCESS), FLAG(CONTINUE),
     XEN_VM_RING_VERDICTS_1_0, false},
    /* Flags of events. */
    {"reposted", REASON(MEM_ACCESS), FLAG(REPOSTED), ALL, false},
    {"nested p2m", REASON(MEM_ACCESS), FLAG(NESTED_P2M), ALL, false},
    {"regs cut", REASON(MEM_ACCESS), FLAG(REGS_CUT), ALL, false},
    {"regs partial", REASON(MEM_ACCESS), FLAG(REGS_PARTIAL), ALL, false},
    {"completed", REASON(MEM_ACCESS), FLAG(COMPLETED), ALL, false},
    {"not advanced", REASON(MEM_ACCESS), FLAG(NOT_ADVANCED), ALL, false},
    {"no flag", REASON(MEM_ACCESS), 1U << 31, ALL, false},
    /* One tail for both. */
    {"read and insn data", REASON(MEM_ACCESS),
     FLAG(SET_EMUL_READ_DATA) | FLAG(SET_EMUL_INSN_DATA), ALL, false},
    {"registers and insn data", REASON(MEM_ACCESS),
     FLAG(SET_REGISTERS) | FLAG(SET_EMUL_INSN_DATA), ALL, false},
    /* Emulation is for what can be emulated, and data for what reads it. */
    {"emulate cr", REASON(WRITE_CTRLREG), FLAG(EMULATE), ALL, false},
    {"emulate mem", REASON(MEM_ACCESS), FLAG(EMULATE), ALL, true},
    {"emulate descriptor", REASON(DESCRIPTOR_ACCESS), FLAG(EMULATE), ALL, true},
    {"insn data, descriptor", REASON(DESCRIPTOR_ACCESS),
     FLAG(SET_EMUL_INSN_DATA), ALL, false},
    {"insn data, breakpoint", REASON(SOFTWARE_BREAKPOINT),
     FLAG(SET_EMUL_INSN_DATA), ALL, true},
    {"read data, breakpoint", REASON(SOFTWARE_BREAKPOINT),
     FLAG(SET_EMUL_READ_DATA), ALL, false},
};

static void by_flags(void)
{
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        /* #GP(0), if it injects at all. */
        struct xen_vm_ring_response response = {
            .reason = (uint16_t)flags[i].reason,
            .flags = flags[i].flags,
            .inject = {.vector = 13, .type = 3}};

        CHECK_ROW(flags[i].row);
        CHECK_EQ(counts(flags[i].reason, response, flags[i].verdicts),
                 flags[i].counts);
    }
    CHECK_ROW(NULL);
}

static const uint32_t mem = REASON(MEM_ACCESS);

/* A reserved word may mean something one day. */
static void by_reserved_words(void)
{
    struct xen_vm_ring_response response = {.reason = REASON(MEM_ACCESS)};

    response.reserved[1] = 1;
    CHECK(!counts(mem, response, ALL));
    response.reserved[1] = 0;
    CHECK(counts(mem, response, ALL));
    response.reason = REASON(CPUID);
    CHECK(!counts(mem, response, ALL));
}

static void by_length_of_data(void)
{
    struct xen_vm_ring_response response = {.reason = REASON(MEM_ACCESS),
                                            .flags = FLAG(SET_EMUL_READ_DATA)};

    response.data.emul_read.size = XEN_VM_RING_REGS_LEN - 4;
    CHECK(counts(mem, response, ALL));
    response.data.emul_read.size++;
    CHECK(!counts(mem, response, ALL));
    response.data.emul_read.size = UINT32_MAX;
    CHECK(!counts(mem, response, ALL));
}

/* Vector, type, code and length together: core/verdict/inject.c has all. */
static void by_what_is_injected(void)
{
    struct xen_vm_ring_response response = {
        .reason = REASON(MEM_ACCESS),
        .flags = FLAG(INJECT),
        .inject = {.vector = 14, .type = 3}};

    response.data.emul_read.size = UINT32_MAX; /* which nobody reads */
    CHECK(counts(mem, response, ALL));
    response.inject.error_code = UINT32_MAX;
    CHECK(!counts(mem, response, ALL));
}

int main(void)
{
    by_flags();
    by_reserved_words();
    by_length_of_data();
    by_what_is_injected();
    return 0;
}
