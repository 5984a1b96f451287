/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * apply.c: verdicts, on the vCPU's own way back into the guest.
 *
 * The legacy ring applies them where the agent's notification comes in, which
 * may be before the vCPU has left the handler that raised the event: what a
 * denial takes back is then not there yet, and the write goes through
 * (hvm_set_cr0() and others note it after monitor_traps() has returned).  Here
 * the handler is over.  The vCPU finds its verdicts itself, so nobody writes
 * them to it, and copies one once.
 */
#include <xen/mem_access.h>
#include <xen/vm_event.h>

#include <asm/altp2m.h>
#ifdef CONFIG_X86
#if __has_include(<asm/guest-msr.h>)
#include <asm/guest-msr.h> /* upstream's struct vcpu_msrs */
#endif
#include <asm/msr.h>
#endif
#include <asm/p2m.h>
#include <asm/vm_event.h>

#include "ring.h"

#ifdef CONFIG_X86
/* false: the one that is to be injected already comes first. */
static bool inject(struct vcpu *v, const struct xen_vm_ring_inject *inject)
{
    struct x86_event *event = &v->arch.hvm.inject_event;

    /* Where one is on its way in, hvm_do_resume() would drop it in silence. */
    if ( hvm_event_pending(v) )
        return false;
    /*
     * hvm_do_resume() injects it next; set as XEN_DMOP_inject_event sets it,
     * which may come at the same time.
     */
    if ( cmpxchg(&event->vector, HVM_EVENT_VECTOR_UNSET,
                 HVM_EVENT_VECTOR_UPDATING) != HVM_EVENT_VECTOR_UNSET )
        return false;
    /* The name of the last one, CR2, is not the same in each Xen. */
    *event = (struct x86_event){
        HVM_EVENT_VECTOR_UPDATING, inject->type, inject->insn_len,
        inject->error_code, inject->cr2,
    };
    smp_wmb();
    event->vector = inject->vector;
    return true;
}
#endif

#ifdef CONFIG_X86
/*
 * A vCPU that steps with nobody who asked for its steps takes no interrupt, for
 * ever.  Who answers a step toggles it off; a disarm may have done so since.
 */
static bool may_toggle(const struct vcpu *v, const vm_event_response_t *rsp)
{
    return v->domain->arch.monitor.singlestep_enabled &&
           (rsp->reason != VM_EVENT_REASON_SINGLESTEP ||
            v->arch.hvm.single_step);
}
#else
static bool may_toggle(const struct vcpu *v, const vm_event_response_t *rsp)
{
    return true;
}
#endif

#ifdef CONFIG_X86
/*
 * Its MSRs are loaded, and are what is saved at its next switch.  Only VMX has
 * vmtrace; tracing is off here, so that they can be written.
 */
static void reset_vmtrace(struct vcpu *v)
{
    ASSERT(v == current);
    if ( hvm_vmtrace_reset(v) )
        return;
    wrmsrl(MSR_RTIT_OUTPUT_MASK, v->arch.msrs->rtit.output_mask);
    wrmsrl(MSR_RTIT_STATUS, v->arch.msrs->rtit.status);
}
#else
static void reset_vmtrace(struct vcpu *v)
{
    vm_event_reset_vmtrace(v);
}
#endif

/* Single-stepping is changed of a vCPU that is paused in every sense. */
static void toggle_singlestep(struct vcpu *v, vm_event_response_t *rsp)
{
    if ( !(rsp->flags & (VM_EVENT_FLAG_TOGGLE_SINGLESTEP |
                         VM_EVENT_FLAG_FAST_SINGLESTEP)) ||
         !may_toggle(v, rsp) )
        return;
    vcpu_pause_nosync(v);
    vm_event_toggle_singlestep(v->domain, v, rsp);
    vcpu_unpause(v);
}

#ifdef CONFIG_X86
static void emulate(struct vcpu *v, vm_event_response_t *rsp)
{
    vm_event_emulate_check(v, rsp);
}
#else
/* It has no emulator: what the access has met is lifted, of that frame. */
static void emulate(struct vcpu *v, vm_event_response_t *rsp)
{
    if ( rsp->reason == VM_EVENT_REASON_MEM_ACCESS &&
         (rsp->flags & VM_EVENT_FLAG_EMULATE) &&
         p2m_set_mem_access(v->domain, _gfn(rsp->u.mem_access.gfn), 1, 0, ~0U,
                            XENMEM_access_rwx, 0) )
        gprintk(XENLOG_WARNING, "vm_ring: an access is still restricted\n");
}
#endif

static void apply(struct ring_vcpu *rv, struct vm_event_answer *answer,
                  bool first)
{
    struct vcpu *v = rv->vcpu;
    vm_event_response_t *rsp = &answer->response;

    /* It also takes back what an answer before has asked for. */
    if ( first || (rsp->flags & VM_EVENT_FLAG_EMULATE) )
        emulate(v, rsp);
    vm_event_register_write_resume(v, rsp);
    toggle_singlestep(v, rsp);
    if ( altp2m_active(v->domain) &&
         (rsp->flags & VM_EVENT_FLAG_ALTERNATE_P2M) )
        p2m_altp2m_check(v, rsp->altp2m_idx);
    if ( rsp->flags & VM_EVENT_FLAG_SET_REGISTERS )
        vm_event_set_registers(v, rsp);
    if ( rsp->flags & VM_EVENT_FLAG_GET_NEXT_INTERRUPT )
        vm_event_monitor_next_interrupt(v);
    if ( rsp->flags & VM_EVENT_FLAG_RESET_VMTRACE )
        reset_vmtrace(v);
#ifdef CONFIG_X86
    if ( answer->has_inject && !inject(v, &answer->inject) )
        rv->not_injected++;
#endif
}

/* Its verdict is in, from whom it is by. */
static void account(struct ring_vcpu *rv, const struct vmr_request *request,
                    enum vmr_by by)
{
    struct ring_tally *tally = &rv->tally[request->event.reason];

    if ( by == VMR_BY_CONSUMER )
    {
        tally->answered++;
        return;
    }
    tally->defaulted++;
    rv->by_deadline++;
}

/* One verdict; false: its first request has none yet, or there is no request. */
static bool apply_next(struct vm_ring *ring, struct ring_vcpu *rv)
{
    struct vcpu *v = rv->vcpu;
    unsigned int id = v->vcpu_id;
    static const struct xen_vm_ring_response neutral;
    const struct vmr_request *request;
    enum vmr_by by;

    request = vmr_vcpu_collect(&ring->core, id, NOW(), &rv->response, &by);
    if ( !request )
        return false;
    /* What a detach has settled was counted there. */
    if ( !vmr_vcpu_is_settled(&ring->core, id) )
        account(rv, request, by);
    if ( vm_event_respond(&request->event, &rv->response, RING_ARCH, true,
                          &rv->answer) == CONVERT_OK ||
         vm_event_respond(&request->event, &neutral, RING_ARCH, true,
                          &rv->answer) == CONVERT_OK )
    {
        /* The handlers act on a vCPU that waits for an answer alone. */
        atomic_inc(&v->vm_event_pause_count);
        apply(rv, &rv->answer, !rv->applied);
        atomic_dec(&v->vm_event_pause_count);
        rv->applied = true;
    }
    /*
     * What was used goes with the legacy ring, which may come when the last
     * request is gone.  Pairs with the read in vm_ring_exists(): what that lets
     * in is made after this.
     */
    smp_mb();
    ring_tell(rv, vmr_vcpu_retire(&ring->core, id));
    return true;
}

bool vm_ring_waits(const struct vcpu *v)
{
    const struct vm_ring *ring = v->domain->vm_ring;

    return ring && vmr_vcpu_first(&ring->core, v->vcpu_id);
}

bool vm_ring_resume(struct vcpu *v)
{
    struct vm_ring *ring = v->domain->vm_ring;
    struct ring_vcpu *rv;

    if ( likely(!ring) || likely(!vmr_vcpu_first(&ring->core, v->vcpu_id)) )
        return true;
    rv = ring->vcpus[v->vcpu_id];
    ring_tell(rv, vmr_vcpu_flush(&ring->core, v->vcpu_id));
    while ( apply_next(ring, rv) )
        continue;
    if ( !vmr_vcpu_first(&ring->core, v->vcpu_id) )
    {
        rv->applied = false;
        /*
         * It may not have slept since it was marked, where a vCPU looks before
         * it gives way to another: its answer needs nobody to wake it.
         */
        ring_wake(rv);
        return true;
    }
    /* It does not enter the guest before all of them have their verdicts. */
    ring_sleep(rv);
    ring_expect(rv);
    if ( vmr_vcpu_is_due(&ring->core, v->vcpu_id) )
        ring_wake(rv);
    return false;
}
