/* SPDX-License-Identifier: MIT */
/* Description: the neutral verdict of each reason lets the vCPU go on as if
 * nobody had looked. */
#include "check.h"
#include "legacy_request.h"

#define X86 XEN_VM_RING_ARCH_X86
#define ARM XEN_VM_RING_ARCH_ARM

static vm_event_request_t request;
static struct vm_event_answer answer;

static void neutral(unsigned int reason, uint32_t arch)
{
    static const struct xen_vm_ring_response none = {0};
    struct xen_vm_ring_event event;

    make_request(reason, arch, &request);
    CHECK_EQ(vm_event_to_ring(&request, arch, 4, &event), CONVERT_OK);
    CHECK_EQ(vm_event_respond(&event, &none, arch, 1, &answer), CONVERT_OK);
    CHECK_EQ(answer.response.version, VM_EVENT_INTERFACE_VERSION);
    CHECK_EQ(answer.response.vcpu_id, 3);
    /* Xen would switch views by it. */
    CHECK_EQ(answer.response.altp2m_idx, 0);
}

static void has_flags_as(unsigned int as, unsigned int reason, uint32_t arch,
                         uint32_t flags)
{
    neutral(reason, arch);
    CHECK_EQ(answer.response.reason, as);
    CHECK_EQ(answer.response.flags, VM_EVENT_FLAG_VCPU_PAUSED | flags);
    CHECK_EQ(answer.has_inject, 0);
}

static void has_flags(unsigned int reason, uint32_t arch, uint32_t flags)
{
    has_flags_as(reason, reason, arch, flags);
}

static void injects(unsigned int reason, unsigned int vector, uint64_t cr2)
{
    neutral(reason, X86);
    CHECK_EQ(answer.response.reason, reason);
    CHECK_EQ(answer.response.flags, VM_EVENT_FLAG_VCPU_PAUSED);
    CHECK_EQ(answer.has_inject, 1);
    CHECK_EQ(answer.inject.vector, vector);
    CHECK_EQ(answer.inject.type, request.u.software_breakpoint.type);
    CHECK_EQ(answer.inject.insn_len, request.u.software_breakpoint.insn_length);
    CHECK_EQ(answer.inject.error_code, UINT32_MAX);
    CHECK_EQ(answer.inject.cr2, cr2);
}

/*
 * One instruction that does nothing, of the same length: with it end RF and
 * the shadow of STI, and TF traps.
 */
static void steps_over_cpuid(unsigned int said, unsigned int len)
{
    static const struct xen_vm_ring_response none = {0};
    const uint8_t *insn = answer.response.data.emul.insn.data;
    struct xen_vm_ring_event event;

    make_request(VM_EVENT_REASON_CPUID, X86, &request);
    request.u.cpuid.insn_length = said;
    CHECK_EQ(vm_event_to_ring(&request, X86, 4, &event), CONVERT_OK);
    CHECK_EQ(vm_event_respond(&event, &none, X86, 1, &answer), CONVERT_OK);
    CHECK_EQ(answer.response.flags, VM_EVENT_FLAG_VCPU_PAUSED |
                                        VM_EVENT_FLAG_EMULATE |
                                        VM_EVENT_FLAG_SET_EMUL_INSN_DATA);
    /* Xen takes such bytes with this reason alone. */
    CHECK_EQ(answer.response.reason, VM_EVENT_REASON_SOFTWARE_BREAKPOINT);
    CHECK_EQ(answer.has_inject, 0);
    for (unsigned int i = 0; i < 16; i++)
        CHECK_EQ(insn[i], i + 1 < len ? 0x66 : 0x90);
}

int main(void)
{
    static const unsigned int go_on[] = {
        VM_EVENT_REASON_UNKNOWN,    VM_EVENT_REASON_WRITE_CTRLREG,
        VM_EVENT_REASON_MOV_TO_MSR, VM_EVENT_REASON_GUEST_REQUEST,
        VM_EVENT_REASON_INTERRUPT,  VM_EVENT_REASON_EMUL_UNIMPLEMENTED,
        VM_EVENT_REASON_VMEXIT,     VM_EVENT_REASON_PRIVILEGED_CALL,
    };

    for (size_t i = 0; i < sizeof(go_on) / sizeof(go_on[0]); i++)
        has_flags(go_on[i], X86, 0);
    has_flags(VM_EVENT_REASON_MEM_ACCESS, X86, VM_EVENT_FLAG_EMULATE);
    CHECK_EQ(answer.response.u.mem_access.gfn, request.u.mem_access.gfn);
    CHECK_EQ(answer.response.u.mem_access.flags, request.u.mem_access.flags);
    has_flags(VM_EVENT_REASON_DESCRIPTOR_ACCESS, X86, VM_EVENT_FLAG_EMULATE);
    /* Xen emulates with that reason, and not with its own. */
    has_flags_as(VM_EVENT_REASON_DESCRIPTOR_ACCESS,
                 XEN_VM_RING_REASON_IO_INSTRUCTION, X86, VM_EVENT_FLAG_EMULATE);
    has_flags(VM_EVENT_REASON_SINGLESTEP, X86, VM_EVENT_FLAG_TOGGLE_SINGLESTEP);

    for (unsigned int len = 1; len <= 15; len++)
        steps_over_cpuid(len, len);
    /* No length that an instruction has: as long as one can be. */
    steps_over_cpuid(0, 15);
    steps_over_cpuid(16, 15);

    has_flags(VM_EVENT_REASON_PRIVILEGED_CALL, ARM,
              VM_EVENT_FLAG_SET_REGISTERS);
    CHECK_EQ(answer.response.data.regs.arm.pc, request.data.regs.arm.pc + 4);

    injects(VM_EVENT_REASON_SOFTWARE_BREAKPOINT, 3, 0);
    neutral(VM_EVENT_REASON_DEBUG_EXCEPTION, X86);
    injects(VM_EVENT_REASON_DEBUG_EXCEPTION, 1,
            request.u.debug_exception.pending_dbg);
    return 0;
}
