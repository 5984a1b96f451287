/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * apply.c: verdicts, on the vCPU's own way back into the guest.
 *
 * The legacy ring applies them where the agent's notification comes in, which
 * may be before the vCPU has left the handler that raised the event: what a
 * denial takes back is then not there yet, and the write goes through
 * (hvm_set_cr0() and others note it after monitor_traps() has returned).  Here
 * the handler is over.
 */
#include <xen/vm_event.h>

#include <asm/p2m.h>
#include <asm/vm_event.h>

#include "ring.h"

#ifdef CONFIG_X86
static void inject(struct vcpu *v, const struct xen_vm_ring_inject *inject)
{
    struct x86_event *event = &v->arch.hvm.inject_event;

    /* hvm_do_resume() injects it next; as XEN_DMOP_inject_event sets it. */
    if ( event->vector != HVM_EVENT_VECTOR_UNSET )
        return;
    event->type = inject->type;
    event->insn_len = inject->insn_len;
    event->error_code = inject->error_code;
    event->cr2 = inject->cr2;
    smp_wmb();
    event->vector = inject->vector;
}
#endif

/* Single-stepping is changed of a vCPU that is paused in every sense. */
static void toggle_singlestep(struct vcpu *v, vm_event_response_t *rsp)
{
    if ( !(rsp->flags & (VM_EVENT_FLAG_TOGGLE_SINGLESTEP |
                         VM_EVENT_FLAG_FAST_SINGLESTEP)) )
        return;
    vcpu_pause_nosync(v);
    vm_event_toggle_singlestep(v->domain, v, rsp);
    vcpu_unpause(v);
}

static void apply(struct vcpu *v, struct vm_event_answer *answer, bool first)
{
    vm_event_response_t *rsp = &answer->response;

    /* It also takes back what an answer before has asked for. */
    if ( first || (rsp->flags & VM_EVENT_FLAG_EMULATE) )
        vm_event_emulate_check(v, rsp);
    vm_event_register_write_resume(v, rsp);
    toggle_singlestep(v, rsp);
    if ( rsp->flags & VM_EVENT_FLAG_ALTERNATE_P2M )
        p2m_altp2m_check(v, rsp->altp2m_idx);
    if ( rsp->flags & VM_EVENT_FLAG_SET_REGISTERS )
        vm_event_set_registers(v, rsp);
    if ( rsp->flags & VM_EVENT_FLAG_GET_NEXT_INTERRUPT )
        vm_event_monitor_next_interrupt(v);
    if ( rsp->flags & VM_EVENT_FLAG_RESET_VMTRACE )
        vm_event_reset_vmtrace(v);
#ifdef CONFIG_X86
    if ( answer->has_inject )
        inject(v, &answer->inject);
#endif
}

void vm_ring_resume(struct vcpu *v)
{
    struct vm_ring *ring = v->domain->vm_ring;
    struct ring_vcpu *rv;
    unsigned int nr, i;

    if ( likely(!ring) )
        return;
    rv = ring->vcpus[v->vcpu_id];
    nr = read_atomic(&rv->nr_answers);
    if ( !nr || atomic_read(&v->vm_event_pause_count) )
        return;
    smp_rmb(); /* pairs with ring_give() */

    /*
     * The handlers act on a vCPU that waits for an answer alone.  It has all
     * of its own, so that nobody gives it another now.
     */
    atomic_inc(&v->vm_event_pause_count);
    for ( i = 0; i < nr; i++ )
        apply(v, &rv->answers[i], i == 0);
    atomic_dec(&v->vm_event_pause_count);
    /*
     * What was used goes with the legacy ring, which may come now.  Pairs with
     * the read in vm_ring_exists(): what it lets in is made after it.
     */
    smp_mb();
    write_atomic(&rv->nr_answers, 0);
}
