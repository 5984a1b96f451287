/* SPDX-License-Identifier: MIT */
/*
 * Description: for every reason, flag and right: what is allowed is what
 * docs/ABI.md has in its two tables of verdicts, and nothing else.
 */
#include "core/response_check.h"
#include "rig.h"

#define FLAG(name)  XEN_VM_RING_FLAG_##name
#define RIGHT(name) XEN_VM_RING_VERDICT_##name

/* The first table: the rights that a flag needs; the last column of both. */
static const struct {
    uint32_t flag, rights;
} needs[] = {
    {FLAG(DENY), RIGHT(DENY)},
    {FLAG(SET_REGISTERS), RIGHT(SET_REGISTERS)},
    {FLAG(EMULATE), RIGHT(EMULATE)},
    {FLAG(EMULATE_NOWRITE), RIGHT(EMULATE)},
    {FLAG(SET_EMUL_READ_DATA), RIGHT(EMULATE)},
    {FLAG(SET_EMUL_INSN_DATA), RIGHT(EMULATE)},
    {FLAG(TOGGLE_SINGLESTEP), RIGHT(STEP)},
    {FLAG(FAST_SINGLESTEP), RIGHT(STEP) | RIGHT(ALTP2M)},
    {FLAG(ALTERNATE_P2M), RIGHT(ALTP2M)},
    {FLAG(INJECT), RIGHT(INJECT)},
    {FLAG(GET_NEXT_INTERRUPT), RIGHT(NEXT_INTERRUPT)},
    {FLAG(RESET_VMTRACE), RIGHT(RESET)},
    {FLAG(RESET_FORK_STATE), RIGHT(RESET)},
    {FLAG(RESET_FORK_MEMORY), RIGHT(RESET)},
    {FLAG(CONTINUE), RIGHT(CONTINUE)},
    {FLAG(VCPU_PAUSED), 0},
    {FLAG(FOREIGN), 0},
};

/* The second: the reasons that allow a flag; those for any are not here. */
static const struct {
    uint32_t flag;
    uint32_t reasons[4];
} allows[] = {
    {FLAG(DENY),
     {XEN_VM_RING_REASON_WRITE_CTRLREG, XEN_VM_RING_REASON_MOV_TO_MSR}},
    {FLAG(EMULATE),
     {XEN_VM_RING_REASON_MEM_ACCESS, XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT,
      XEN_VM_RING_REASON_DESCRIPTOR_ACCESS}},
    {FLAG(EMULATE_NOWRITE), {XEN_VM_RING_REASON_MEM_ACCESS}},
    {FLAG(SET_EMUL_READ_DATA), {XEN_VM_RING_REASON_MEM_ACCESS}},
    {FLAG(SET_EMUL_INSN_DATA),
     {XEN_VM_RING_REASON_MEM_ACCESS, XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT}},
};

static bool is_allowed(uint32_t reason, uint32_t flag)
{
    for (size_t i = 0; i < sizeof(allows) / sizeof(allows[0]); i++) {
        if (allows[i].flag != flag)
            continue;
        for (int n = 0; n < 4; n++)
            if (allows[i].reasons[n] && allows[i].reasons[n] == reason)
                return true;
        return false;
    }
    return true;
}

static uint32_t rights_for(uint32_t flag, bool *known)
{
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
        if (needs[i].flag == flag) {
            *known = true;
            return needs[i].rights;
        }
    *known = false;
    return 0;
}

static void one(uint32_t reason, uint32_t flag)
{
    bool known;
    uint32_t rights = rights_for(flag, &known);

    for (uint32_t negotiated = 0; negotiated <= XEN_VM_RING_VERDICTS;
         negotiated++) {
        enum vmr_flags expected = VMR_FLAGS_ALLOWED;

        if (!known || !is_allowed(reason, flag))
            expected = VMR_FLAGS_INVALID;
        else if (rights & ~negotiated)
            expected = VMR_FLAGS_DENIED;
        CHECK_EQ(vmr_response_check(reason, flag, negotiated), expected);
        CHECK_EQ(
            vmr_response_check(reason, flag | FLAG(VCPU_PAUSED), negotiated),
            expected);
    }
}

/* Registers and emulated data lie in the same bytes. */
static void tails(void)
{
    static const uint32_t tail[] = {FLAG(SET_REGISTERS),
                                    FLAG(SET_EMUL_READ_DATA),
                                    FLAG(SET_EMUL_INSN_DATA)};

    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            CHECK_EQ(vmr_response_check(XEN_VM_RING_REASON_MEM_ACCESS,
                                        tail[i] | tail[j],
                                        XEN_VM_RING_VERDICTS),
                     i == j ? VMR_FLAGS_ALLOWED : VMR_FLAGS_INVALID);
}

/* It says that nothing is to be done, and so goes with nothing. */
static void alone(void)
{
    for (uint32_t reason = 0; reason < 2 * XEN_VM_RING_NR_REASONS; reason++)
        for (int bit = 0; bit < 32; bit++) {
            uint32_t flag = 1U << bit;
            bool goes =
                flag & (FLAG(CONTINUE) | FLAG(VCPU_PAUSED) | FLAG(FOREIGN));

            CHECK_EQ(vmr_response_check(reason, FLAG(CONTINUE) | flag,
                                        XEN_VM_RING_VERDICTS),
                     goes ? VMR_FLAGS_ALLOWED : VMR_FLAGS_INVALID);
        }
}

int main(void)
{
    /* Beyond the last one, too: a reason may come from anywhere. */
    for (uint32_t reason = 0; reason < 2 * XEN_VM_RING_NR_REASONS; reason++)
        for (int bit = 0; bit < 32; bit++)
            one(reason, 1U << bit);
    tails();
    alone();
    return 0;
}
