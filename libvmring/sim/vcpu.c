/* SPDX-License-Identifier: MIT */
#include "vcpu.h"

#include "machine.h"

#include <string.h>

#define CR0_TS      0x8
#define CR4_TSD     0x4
#define CPUID_LEN   2
#define TRAP_HW_EXC 3 /* HVMOP_TRAP_* of hvm/hvm_op.h */
#define TRAP_SW_EXC 6
#define PENDING_BS  0x4000 /* a step is what it is */

/* System-call MSRs are written again, as on resume, so many MSR writes on. */
#define MSR_ROUND 64

static const struct {
    uint32_t leaf, subleaf;
} leaves[] = {
    {0, 0},   {1, 0},          {4, 0},          {7, 0},          {0xb, 1},
    {0xd, 0}, {0x40000000, 0}, {0x80000000, 0}, {0x80000008, 0},
};

#define NR_LEAVES (sizeof(leaves) / sizeof(*leaves))

/* One of `below`: the bias of so small a range of 2^64 is of no account. */
static uint64_t draw(struct sim_vcpu *v, uint64_t below)
{
    v->random += UINT64_C(0x9e3779b97f4a7c15);
    return sim_scatter(v->random) % below;
}

static unsigned int pick(uint64_t at, const uint64_t *share)
{
    unsigned int k = 0;

    while (at >= share[k])
        at -= share[k++];
    return k;
}

/* Drawn without replacement, what was asked for comes in a random order. */
static enum sim_work draw_work(struct sim_vcpu *v,
                               const struct sim_params *params)
{
    uint64_t sum = 0;
    enum sim_work work;

    if (!params->counted) {
        for (unsigned int k = 0; k < NR_SIM_WORK; k++)
            sum += params->weight[k];
        return pick(draw(v, sum), params->weight);
    }
    work = pick(draw(v, v->left), v->asked);
    v->asked[work]--;
    v->left--;
    return work;
}

static enum sim_msr next_msr(struct sim_vcpu *v,
                             const struct sim_params *params)
{
    uint64_t turn = v->msr_turn++;

    if (params->msr != SIM_NO_MSR)
        return SIM_OTHER_MSR;
    if (turn % MSR_ROUND < NR_SIM_BOOT_MSRS)
        return turn % MSR_ROUND;
    return turn % 2 ? SIM_KERNEL_GS_BASE : SIM_FS_BASE;
}

/* The kernel has two sets of entry points, and takes them in turn. */
static uint64_t msr_value(struct sim_vcpu *v, enum sim_msr msr)
{
    uint64_t other = (v->msr_turn - 1) / MSR_ROUND % 2;

    switch (msr) {
    case SIM_STAR:
        return UINT64_C(0x0023001000000000) + other;
    case SIM_LSTAR:
        return UINT64_C(0xffffffff81a00080) + other * 0x100000;
    case SIM_CSTAR:
        return UINT64_C(0xffffffff81a01590) + other * 0x100000;
    case SIM_SFMASK:
        return 0x257fd5 ^ other << 18;
    case SIM_SYSENTER_CS:
        return 0x10 ^ other << 3;
    case SIM_SYSENTER_ESP:
        return v->regs.gdtr_base + 0x2000 + other * 0x200;
    case SIM_SYSENTER_EIP:
        return UINT64_C(0xffffffff81a01260) + other * 0x100000;
    case SIM_OTHER_MSR:
        return *sim_machine_msr(v, msr) ^ 1;
    default:
        return UINT64_C(0x7f0000000000) + (draw(v, 1u << 20) << 12);
    }
}

static struct xen_vm_ring_event *begin_event(struct sim_vcpu *v,
                                             struct xen_vm_ring_event *event,
                                             unsigned int reason)
{
    event->reason = (uint16_t)reason;
    event->vcpu = (uint16_t)v->id;
    event->length = XEN_VM_RING_EVENT_FULL;
    return event;
}

static void begin_cpuid(struct sim_vcpu *v, struct xen_vm_ring_event *event)
{
    unsigned int l = (unsigned int)draw(v, NR_LEAVES);
    uint32_t *results = v->step.results;

    begin_event(v, event, XEN_VM_RING_REASON_CPUID);
    event->u.cpuid.insn_len = CPUID_LEN;
    event->u.cpuid.leaf = leaves[l].leaf;
    event->u.cpuid.subleaf = leaves[l].subleaf;
    /* As in Xen, the registers hold the result already, rip does not. */
    sim_machine_cpuid(v, leaves[l].leaf, leaves[l].subleaf, results);
    v->regs.rax = results[0];
    v->regs.rbx = results[1];
    v->regs.rcx = results[2];
    v->regs.rdx = results[3];
}

static void begin_ctrlreg(struct sim_vcpu *v, struct xen_vm_ring_event *event,
                          unsigned int index, uint64_t old, uint64_t value)
{
    begin_event(v, event, XEN_VM_RING_REASON_WRITE_CTRLREG);
    event->u.write_ctrlreg.index = index;
    event->u.write_ctrlreg.old_value = old;
    event->u.write_ctrlreg.new_value = value;
    v->regs.rax = v->step.value = value;
}

/* Mostly to another process; at times the same again, to flush the TLB. */
static uint64_t next_cr3(struct sim_vcpu *v)
{
    if (!draw(v, 8))
        return v->regs.cr3;
    for (;;) {
        uint64_t cr3 = sim_machine_cr3((unsigned int)draw(v, SIM_NR_PROCESSES));

        if (cr3 != v->regs.cr3)
            return cr3;
    }
}

static void begin_msr(struct sim_vcpu *v, const struct sim_params *params,
                      struct xen_vm_ring_event *event)
{
    enum sim_msr msr = next_msr(v, params);
    uint64_t value = msr_value(v, msr);

    begin_event(v, event, XEN_VM_RING_REASON_MOV_TO_MSR);
    event->u.mov_to_msr.msr = sim_msr_number(params, msr);
    event->u.mov_to_msr.old_value = *sim_machine_msr(v, msr);
    event->u.mov_to_msr.new_value = value;
    v->step.msr = msr;
    v->step.value = value;
    v->regs.rcx = event->u.mov_to_msr.msr;
    v->regs.rax = (uint32_t)value;
    v->regs.rdx = value >> 32;
}

static void begin_trap(struct sim_vcpu *v, struct xen_vm_ring_event *event,
                       bool int3)
{
    begin_event(v, event,
                int3 ? XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT
                     : XEN_VM_RING_REASON_DEBUG_EXCEPTION);
    event->u.debug.gfn = sim_machine_gfn(v->regs.rip);
    event->u.debug.insn_len = int3;
    event->u.debug.type = int3 ? TRAP_SW_EXC : TRAP_HW_EXC;
    event->u.debug.pending_dbg = int3 ? 0 : PENDING_BS;
}

static void begin(struct sim_vcpu *v, const struct sim_params *params,
                  struct xen_vm_ring_event *event)
{
    struct xen_vm_ring_regs_x86 *regs = &v->regs;

    v->step.work = draw_work(v, params);
    v->turn++;
    sim_machine_goto(v, v->step.work);
    memset(event, 0, sizeof(*event));
    switch (v->step.work) {
    case SIM_CPUID:
        begin_cpuid(v, event);
        break;
    case SIM_CR0:
        begin_ctrlreg(v, event, 0, regs->cr0, regs->cr0 ^ CR0_TS);
        break;
    case SIM_CR3:
        begin_ctrlreg(v, event, 1, regs->cr3, next_cr3(v));
        break;
    case SIM_CR4:
        begin_ctrlreg(v, event, 2, regs->cr4, regs->cr4 ^ CR4_TSD);
        break;
    case SIM_MSR:
        begin_msr(v, params, event);
        break;
    case SIM_GREQ:
        begin_event(v, event, XEN_VM_RING_REASON_GUEST_REQUEST);
        break;
    default:
        begin_trap(v, event, v->step.work == SIM_INT3);
        break;
    }
    event->regs.x86 = v->regs;
}

/* Where what the step writes is kept, or NULL if it writes nothing. */
static xen_vm_ring_u64 *written(struct sim_vcpu *v)
{
    switch (v->step.work) {
    case SIM_CR0:
        return &v->regs.cr0;
    case SIM_CR3:
        return &v->regs.cr3;
    case SIM_CR4:
        return &v->regs.cr4;
    case SIM_MSR:
        return sim_machine_msr(v, v->step.msr);
    default:
        return NULL;
    }
}

/* The step takes effect as if nobody had looked. */
static void complete(struct sim_vcpu *v)
{
    xen_vm_ring_u64 *to = written(v);

    if (to)
        *to = v->step.value;
    v->trapped += v->step.work == SIM_INT3 || v->step.work == SIM_DB;
}

bool sim_vcpu_step(struct sim_vcpu *v, const struct sim_params *params,
                   const struct sim_arming *arming,
                   struct xen_vm_ring_event *event, uint8_t *mode)
{
    const struct sim_armed *armed;
    xen_vm_ring_u64 *to;

    begin(v, params, event);
    armed = v->step.work == SIM_MSR ? &arming->msr[v->step.msr]
                                    : &arming->work[v->step.work];
    to = written(v);
    *mode = armed->mode;
    if (!armed->mode || (armed->onchange && to && *to == v->step.value)) {
        complete(v);
        v->passed++;
        return false;
    }
    v->raised++;
    if (armed->mode == VMRING_MODE_ASYNC) {
        complete(v);
    } else {
        event->flags = XEN_VM_RING_FLAG_VCPU_PAUSED;
        v->waiting = true;
    }
    return true;
}

/* What a verdict may set: as vm_event_set_registers() in Xen. */
static void set_registers(struct xen_vm_ring_regs_x86 *to,
                          const struct xen_vm_ring_regs_x86 *from)
{
    memcpy(to, from, offsetof(struct xen_vm_ring_regs_x86, rflags));
    to->rflags = from->rflags;
    to->rip = from->rip;
}

/* CPUID under a verdict that set registers: is it Xen's result? */
static void check_cpuid(struct sim_vcpu *v, uint64_t rip)
{
    const struct xen_vm_ring_regs_x86 *regs = &v->regs;
    const uint32_t *right = v->step.results;

    if (regs->rax != right[0] || regs->rbx != right[1] ||
        regs->rcx != right[2] || regs->rdx != right[3] ||
        regs->rip != rip + CPUID_LEN)
        v->cpuid_wrong++;
}

void sim_vcpu_resume(struct sim_vcpu *v,
                     const struct xen_vm_ring_response *response)
{
    uint64_t rip = v->regs.rip;

    v->waiting = false;
    if (!response->flags) {
        complete(v);
        return;
    }
    if (response->flags & XEN_VM_RING_FLAG_SET_REGISTERS) {
        set_registers(&v->regs, &response->data.x86);
        if (v->step.work == SIM_CPUID)
            check_cpuid(v, rip);
    }
    /* As Xen: executed again, with a leaf that its results have overwritten. */
    if ((response->flags & XEN_VM_RING_FLAG_CONTINUE) &&
        v->step.work == SIM_CPUID)
        v->cpuid_wrong++;
    if (v->step.work == SIM_INT3 || v->step.work == SIM_DB)
        v->trapped += !!(response->flags & XEN_VM_RING_FLAG_INJECT);
    else if (response->flags & XEN_VM_RING_FLAG_DENY)
        v->denied++;
    else
        complete(v);
}

bool sim_vcpu_finished(const struct sim_vcpu *v,
                       const struct sim_params *params)
{
    if (v->waiting)
        return false;
    if (params->counted)
        return !v->left;
    return params->count && v->raised >= params->count;
}

void sim_vcpu_boot(struct sim_vcpu *v, unsigned int id,
                   const struct sim_params *params)
{
    memset(v, 0, sizeof(*v));
    v->id = id;
    /* Far apart in the period, whatever the seeds. */
    v->random = sim_scatter(sim_scatter(params->seed) + id);
    sim_machine_boot(v);
    if (!params->counted)
        return;
    for (unsigned int k = 0; k < NR_SIM_WORK; k++) {
        v->asked[k] = params->asked[k];
        v->left += params->asked[k];
    }
}
