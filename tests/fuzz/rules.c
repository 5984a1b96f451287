/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <stddef.h>

#include <xen/vm_ring.h>

#define FLAG(name) XEN_VM_RING_FLAG_##name

static const struct {
    uint32_t flag, rights; /* all of these are needed */
    uint32_t reasons;      /* a bit for each; 0: any */
} rules[] = {
    {FLAG(EMULATE), XEN_VM_RING_VERDICT_EMULATE, 1 << 1 | 1 << 6 | 1 << 13},
    {FLAG(EMULATE_NOWRITE), XEN_VM_RING_VERDICT_EMULATE, 1 << 1},
    {FLAG(TOGGLE_SINGLESTEP), XEN_VM_RING_VERDICT_STEP, 0},
    {FLAG(SET_EMUL_READ_DATA), XEN_VM_RING_VERDICT_EMULATE, 1 << 1},
    {FLAG(DENY), XEN_VM_RING_VERDICT_DENY, 1 << 4 | 1 << 5},
    {FLAG(ALTERNATE_P2M), XEN_VM_RING_VERDICT_ALTP2M, 0},
    {FLAG(SET_REGISTERS), XEN_VM_RING_VERDICT_SET_REGISTERS, 0},
    {FLAG(SET_EMUL_INSN_DATA), XEN_VM_RING_VERDICT_EMULATE, 1 << 1 | 1 << 6},
    {FLAG(GET_NEXT_INTERRUPT), XEN_VM_RING_VERDICT_NEXT_INTERRUPT, 0},
    {FLAG(FAST_SINGLESTEP),
     XEN_VM_RING_VERDICT_STEP | XEN_VM_RING_VERDICT_ALTP2M, 0},
    {FLAG(RESET_VMTRACE), XEN_VM_RING_VERDICT_RESET, 0},
    {FLAG(RESET_FORK_STATE), XEN_VM_RING_VERDICT_RESET, 0},
    {FLAG(RESET_FORK_MEMORY), XEN_VM_RING_VERDICT_RESET, 0},
    {FLAG(INJECT), XEN_VM_RING_VERDICT_INJECT, 0},
    {FLAG(CONTINUE), XEN_VM_RING_VERDICT_CONTINUE, 0},
};

bool rules_allow(uint32_t reason, uint32_t flags, uint32_t verdicts)
{
    uint32_t tail = flags & (FLAG(SET_REGISTERS) | FLAG(SET_EMUL_READ_DATA) |
                             FLAG(SET_EMUL_INSN_DATA));

    if (tail & (tail - 1))
        return false; /* one of those that share the tail */
    if ((flags & FLAG(CONTINUE)) && flags != FLAG(CONTINUE))
        return false; /* nothing goes with nothing else */
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (!(flags & rules[i].flag))
            continue;
        if ((rules[i].rights & ~verdicts) ||
            (rules[i].reasons && !(rules[i].reasons >> reason & 1)))
            return false;
        flags &= ~rules[i].flag;
    }
    return flags == 0;
}
