/* SPDX-License-Identifier: MIT */
/* Description: reasons, flags and registers are those of Xen's vm_event.h. */
#include <stddef.h>

#include <xen/vm_ring.h>

#define __XEN_TOOLS__ 1
#include <xen/vm_event.h>

#define SAME(a, b) _Static_assert((a) == (b), #a)

#define REASON(name) SAME(XEN_VM_RING_REASON_##name, VM_EVENT_REASON_##name)
REASON(UNKNOWN);
REASON(MEM_ACCESS);
REASON(MEM_SHARING);
REASON(MEM_PAGING);
REASON(WRITE_CTRLREG);
REASON(MOV_TO_MSR);
REASON(SOFTWARE_BREAKPOINT);
REASON(SINGLESTEP);
REASON(GUEST_REQUEST);
REASON(DEBUG_EXCEPTION);
REASON(CPUID);
REASON(PRIVILEGED_CALL);
REASON(INTERRUPT);
REASON(DESCRIPTOR_ACCESS);
REASON(EMUL_UNIMPLEMENTED);
#ifdef VM_EVENT_REASON_VMEXIT /* since Xen 4.17 */
REASON(VMEXIT);
#endif

#define FLAG(name) SAME(XEN_VM_RING_FLAG_##name, VM_EVENT_FLAG_##name)
FLAG(VCPU_PAUSED);
FLAG(FOREIGN);
FLAG(EMULATE);
FLAG(EMULATE_NOWRITE);
FLAG(TOGGLE_SINGLESTEP);
FLAG(SET_EMUL_READ_DATA);
FLAG(DENY);
FLAG(ALTERNATE_P2M);
FLAG(SET_REGISTERS);
FLAG(SET_EMUL_INSN_DATA);
FLAG(GET_NEXT_INTERRUPT);
FLAG(FAST_SINGLESTEP);
FLAG(NESTED_P2M);
FLAG(RESET_VMTRACE);
#ifdef VM_EVENT_FLAG_RESET_FORK_STATE
FLAG(RESET_FORK_STATE);
FLAG(RESET_FORK_MEMORY);
#endif

/* Word for word: what is copied at once, at the same place. */
#define REG(name)                                                              \
    SAME(offsetof(struct xen_vm_ring_regs_x86, name),                          \
         offsetof(struct vm_event_regs_x86, name));                            \
    SAME(sizeof(((struct xen_vm_ring_regs_x86 *)0)->name),                     \
         sizeof(((struct vm_event_regs_x86 *)0)->name))
SAME(sizeof(struct xen_vm_ring_regs_x86), sizeof(struct vm_event_regs_x86));
SAME(sizeof(struct xen_vm_ring_regs_x86), 344);
SAME(sizeof(struct xen_vm_ring_regs_x86), XEN_VM_RING_REGS_LEN);
SAME(sizeof(union xen_vm_ring_tail), XEN_VM_RING_REGS_LEN);
REG(rax);
REG(r15);
REG(rflags);
REG(rip);
REG(cr0);
REG(cr4);
REG(sysenter_cs);
REG(msr_efer);
REG(msr_lstar);
REG(gdtr_base);
REG(npt_base);
REG(vmtrace_pos);
REG(cs_base);
REG(es_base);
REG(fs_base);
REG(gs_base);
REG(shadow_gs);
REG(gdtr_limit);
REG(cs_sel);
REG(gs_sel);

SAME(sizeof(struct xen_vm_ring_regs_arm), sizeof(struct vm_event_regs_arm));

/* What depends on sizes in the header's own text. */
SAME(offsetof(struct xen_vm_ring_event, regs), XEN_VM_RING_EVENT_HEAD);
SAME(sizeof(struct xen_vm_ring_event), XEN_VM_RING_EVENT_FULL);
SAME(sizeof(struct xen_vm_ring_lane), XEN_VM_RING_LANE);
SAME(sizeof(struct xen_vm_ring_p_group), XEN_VM_RING_LINE);
SAME(sizeof(struct xen_vm_ring_cursor), XEN_VM_RING_LINE);
SAME(sizeof(struct xen_vm_ring_c_group), XEN_VM_RING_LINE);
SAME(offsetof(struct xen_vm_ring_header, target_state) % XEN_VM_RING_LINE, 0);
SAME(sizeof(struct xen_vm_ring_header) % XEN_VM_RING_LINE, 0);
_Static_assert(sizeof(struct xen_vm_ring_event) <= XEN_VM_RING_SLOT, "slot");
_Static_assert(sizeof(struct xen_vm_ring_response) <= XEN_VM_RING_SLOT, "slot");
_Static_assert(sizeof(struct xen_vm_ring_header) <= XEN_VM_RING_PAGE, "page");

int main(void)
{
    return 0; /* the compiler has checked it */
}
