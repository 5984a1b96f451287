/* SPDX-License-Identifier: MIT */
/*
 * response_check.c: which flags a response may have, by reason and by what was
 * negotiated.  docs/ABI.md, "Verdicts", has the same table.
 */
#include "response_check.h"

#define F(name) XEN_VM_RING_FLAG_##name
#define V(name) XEN_VM_RING_VERDICT_##name

/* Which verdict a flag needs; those that are not here need none. */
static const struct {
    uint32_t flags, verdict;
} needs[] = {
    {F(DENY), V(DENY)},
    {F(SET_REGISTERS), V(SET_REGISTERS)},
    {F(EMULATE) | F(EMULATE_NOWRITE) | F(SET_EMUL_READ_DATA) |
         F(SET_EMUL_INSN_DATA),
     V(EMULATE)},
    {F(TOGGLE_SINGLESTEP) | F(FAST_SINGLESTEP), V(STEP)},
    {F(ALTERNATE_P2M) | F(FAST_SINGLESTEP), V(ALTP2M)},
    {F(INJECT), V(INJECT)},
    {F(GET_NEXT_INTERRUPT), V(NEXT_INTERRUPT)},
    {F(RESET_VMTRACE) | F(RESET_FORK_STATE) | F(RESET_FORK_MEMORY), V(RESET)},
    {F(CONTINUE), V(CONTINUE)},
};

/* What Xen carries out whatever the reason is (vm_event_resume()). */
#define ANY                                                                    \
    (F(SET_REGISTERS) | F(TOGGLE_SINGLESTEP) | F(FAST_SINGLESTEP) |            \
     F(ALTERNATE_P2M) | F(INJECT) | F(GET_NEXT_INTERRUPT) | F(RESET_VMTRACE) | \
     F(RESET_FORK_STATE) | F(RESET_FORK_MEMORY) | F(CONTINUE))

#define EMULATION                                                              \
    (F(EMULATE) | F(EMULATE_NOWRITE) | F(SET_EMUL_READ_DATA) |                 \
     F(SET_EMUL_INSN_DATA))

static uint32_t allowed(uint32_t reason)
{
    switch (reason) {
    case XEN_VM_RING_REASON_MEM_ACCESS:
        return ANY | EMULATION;
    case XEN_VM_RING_REASON_DESCRIPTOR_ACCESS:
        return ANY | F(EMULATE);
    case XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT:
        return ANY | F(EMULATE) | F(SET_EMUL_INSN_DATA);
    case XEN_VM_RING_REASON_WRITE_CTRLREG:
    case XEN_VM_RING_REASON_MOV_TO_MSR:
        return ANY | F(DENY);
    default:
        return ANY;
    }
}

enum vmr_flags vmr_response_check(uint32_t reason, uint32_t flags,
                                  uint32_t verdicts)
{
    uint32_t tail;

    flags &= ~XEN_VM_RING_FLAGS_VOID;
    if (flags & ~allowed(reason))
        return VMR_FLAGS_INVALID;
    /* They share the response's tail: one of them at most. */
    tail = flags &
           (F(SET_REGISTERS) | F(SET_EMUL_READ_DATA) | F(SET_EMUL_INSN_DATA));
    if (tail & (tail - 1))
        return VMR_FLAGS_INVALID;
    /* Doing nothing goes with nothing else. */
    if ((flags & F(CONTINUE)) && flags != F(CONTINUE))
        return VMR_FLAGS_INVALID;
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
        if ((flags & needs[i].flags) && !(verdicts & needs[i].verdict))
            return VMR_FLAGS_DENIED;
    return VMR_FLAGS_ALLOWED;
}

bool vmr_response_is_whole(const struct xen_vm_ring_response *response,
                           uint32_t arch)
{
    for (size_t i = 0;
         i < sizeof(response->reserved) / sizeof(response->reserved[0]); i++)
        if (response->reserved[i])
            return false;
    /* Xen has nothing that would inject into an arm guest. */
    if ((response->flags & F(INJECT)) &&
        (arch != XEN_VM_RING_ARCH_X86 ||
         !vmr_inject_is_borne(&response->inject)))
        return false;
    return !(response->flags & F(SET_EMUL_READ_DATA)) ||
           response->data.emul_read.size <=
               sizeof(response->data.emul_read.data);
}
