/* SPDX-License-Identifier: MIT */
/* Description: verdicts reach the legacy response; a request that did not
 * pause its vCPU gets one without any flag. */
#include "check.h"
#include "legacy_request.h"

#define X86 XEN_VM_RING_ARCH_X86

static struct xen_vm_ring_event event;
static struct vm_event_answer answer;

static int answer_with(unsigned int reason, uint32_t flags, bool paused)
{
    struct xen_vm_ring_response verdict = {.flags = flags, .altp2m_idx = 5};
    vm_event_request_t request;

    for (unsigned int i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
        verdict.data.words[i] = 0x0101010101010101 * (i + 1);
    if (flags & XEN_VM_RING_FLAG_SET_EMUL_READ_DATA)
        verdict.data.emul_read.size = 340;
    make_request(reason, X86, &request);
    CHECK_EQ(vm_event_to_ring(&request, X86, 4, &event), CONVERT_OK);
    return vm_event_respond(&event, &verdict, X86, paused, &answer);
}

static void takes(unsigned int reason, uint32_t flags)
{
    CHECK_EQ(answer_with(reason, flags, 1), CONVERT_OK);
    CHECK_EQ(answer.response.flags, VM_EVENT_FLAG_VCPU_PAUSED | flags);
}

#define TF 0x100ULL
#define RF 0x10000ULL

static struct xen_vm_ring_response verdict_on_cpuid(uint64_t rflags,
                                                    unsigned int by)
{
    struct xen_vm_ring_response verdict = {.flags =
                                               XEN_VM_RING_FLAG_SET_REGISTERS};
    vm_event_request_t request;

    make_request(VM_EVENT_REASON_CPUID, X86, &request);
    request.u.cpuid.insn_length = 2;
    CHECK_EQ(vm_event_to_ring(&request, X86, 4, &event), CONVERT_OK);
    verdict.data = event.regs;
    verdict.data.x86.rax = 0x4711;
    verdict.data.x86.rip += by;
    verdict.data.x86.rflags = rflags;
    return verdict;
}

/* Behind it with other results: it has ended, with all that belongs to it. */
static void other_results_of_cpuid(void)
{
    struct xen_vm_ring_response verdict = verdict_on_cpuid(2 | TF | RF, 2);

    CHECK_EQ(vm_event_respond(&event, &verdict, X86, 1, &answer), CONVERT_OK);
    CHECK_EQ(answer.response.flags,
             VM_EVENT_FLAG_VCPU_PAUSED | VM_EVENT_FLAG_SET_REGISTERS);
    CHECK_EQ(answer.response.reason, VM_EVENT_REASON_CPUID);
    CHECK_EQ(answer.response.data.regs.x86.rax, 0x4711);
    CHECK_EQ(answer.response.data.regs.x86.rflags, 2 | TF);
    CHECK_EQ(answer.has_inject, 1);
    CHECK_EQ(answer.inject.vector, 1);
    CHECK_EQ(answer.inject.type, 3);
    CHECK_EQ(answer.inject.error_code, UINT32_MAX);
    CHECK_EQ(answer.inject.insn_len, 0);
    CHECK_EQ(answer.inject.cr2, 0x4000);

    /* Who injects something else means that. */
    verdict.flags |= XEN_VM_RING_FLAG_INJECT;
    verdict.inject.vector = 14;
    CHECK_EQ(vm_event_respond(&event, &verdict, X86, 1, &answer), CONVERT_OK);
    CHECK_EQ(answer.inject.vector, 14);

    verdict = verdict_on_cpuid(2 | RF, 2);
    CHECK_EQ(vm_event_respond(&event, &verdict, X86, 1, &answer), CONVERT_OK);
    CHECK_EQ(answer.response.data.regs.x86.rflags, 2);
    CHECK_EQ(answer.has_inject, 0);

    /* Elsewhere, so it is not the end of it. */
    verdict = verdict_on_cpuid(2 | TF | RF, 0);
    CHECK_EQ(vm_event_respond(&event, &verdict, X86, 1, &answer), CONVERT_OK);
    CHECK_EQ(answer.response.data.regs.x86.rflags, 2 | TF | RF);
    CHECK_EQ(answer.has_inject, 0);
}

static void verdicts_go_out(void)
{
    takes(VM_EVENT_REASON_WRITE_CTRLREG, XEN_VM_RING_FLAG_DENY);
    CHECK_EQ(answer.response.u.write_ctrlreg.index, VM_EVENT_X86_CR4);
    takes(VM_EVENT_REASON_CPUID, XEN_VM_RING_FLAG_SET_REGISTERS);
    CHECK_EQ(answer.response.data.regs.x86.rcx, 0x0202020202020202);
    takes(VM_EVENT_REASON_MEM_ACCESS, XEN_VM_RING_FLAG_ALTERNATE_P2M);
    CHECK_EQ(answer.response.altp2m_idx, 5);
    takes(VM_EVENT_REASON_SINGLESTEP, XEN_VM_RING_FLAG_FAST_SINGLESTEP);
    CHECK_EQ(answer.response.u.fast_singlestep.p2midx, 5);
    takes(VM_EVENT_REASON_MEM_ACCESS,
          XEN_VM_RING_FLAG_EMULATE | XEN_VM_RING_FLAG_SET_EMUL_READ_DATA);
    CHECK_EQ(answer.response.data.emul.read.size, 340);
    CHECK_EQ(answer.response.data.emul.read.data[339], 0x2b);
}

/* What goes out of a verdict: only what Xen knows, if it waits at all. */
static const struct {
    const char *row;
    unsigned int reason;
    uint32_t flags;
    bool paused;
    uint32_t out;
} others[] = {
    {"inject and foreign", VM_EVENT_REASON_CPUID,
     XEN_VM_RING_FLAG_INJECT | XEN_VM_RING_FLAG_FOREIGN, true,
     VM_EVENT_FLAG_VCPU_PAUSED},
    {"continue", VM_EVENT_REASON_MEM_ACCESS, XEN_VM_RING_FLAG_CONTINUE, true,
     VM_EVENT_FLAG_VCPU_PAUSED},
    {"not paused", VM_EVENT_REASON_WRITE_CTRLREG, 0, false, 0},
    {"not paused, deny", VM_EVENT_REASON_CPUID, XEN_VM_RING_FLAG_DENY, false,
     0},
};

static void only_what_xen_knows(void)
{
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        CHECK_ROW(others[i].row);
        CHECK_EQ(
            answer_with(others[i].reason, others[i].flags, others[i].paused),
            CONVERT_OK);
        CHECK_EQ(answer.response.flags, others[i].out);
        if (others[i].flags & XEN_VM_RING_FLAG_INJECT)
            CHECK_EQ(answer.has_inject, 1);
    }
    CHECK_ROW(NULL);
}

/* Going on is what Xen takes no flag for, whatever neutral would be. */
static void continue_is_no_flag(void)
{
    for (unsigned int reason = VM_EVENT_REASON_WRITE_CTRLREG;
         reason < XEN_VM_RING_NR_REASONS; reason++) {
        CHECK_EQ(answer_with(reason, XEN_VM_RING_FLAG_CONTINUE, 1), CONVERT_OK);
        CHECK_EQ(answer.response.flags, VM_EVENT_FLAG_VCPU_PAUSED);
        CHECK_EQ(answer.response.reason, reason);
        CHECK_EQ(answer.has_inject, 0);
    }
}

/* One tail, one claim; and no more of it than there is. */
static void tail_is_held_to(void)
{
    struct xen_vm_ring_response verdict = {0};

    CHECK_EQ(answer_with(VM_EVENT_REASON_MEM_ACCESS,
                         XEN_VM_RING_FLAG_SET_REGISTERS |
                             XEN_VM_RING_FLAG_SET_EMUL_INSN_DATA,
                         1),
             CONVERT_BAD_VERDICT);
    verdict.flags = XEN_VM_RING_FLAG_SET_EMUL_READ_DATA;
    verdict.data.emul_read.size = 341;
    CHECK_EQ(vm_event_respond(&event, &verdict, X86, 1, &answer),
             CONVERT_BAD_VERDICT);
}

int main(void)
{
    verdicts_go_out();
    only_what_xen_knows();
    continue_is_no_flag();
    other_results_of_cpuid();
    tail_is_held_to();
    return 0;
}
