/* SPDX-License-Identifier: MIT */
/* bridge_legacy.c: requests as Xen would put them. */
#include "bridge_legacy.h"

#include <string.h>

static void fill(void *data, size_t len, unsigned char first)
{
    unsigned char *byte = data;

    for (size_t i = 0; i < len; i++)
        byte[i] = (unsigned char)(first + i * 7);
}

static void fill_data(unsigned int reason, vm_event_request_t *request)
{
    switch (reason) {
    case VM_EVENT_REASON_MEM_ACCESS:
        fill(&request->u, 28, 1);
        break;
    case VM_EVENT_REASON_WRITE_CTRLREG:
        request->u.write_ctrlreg.index = VM_EVENT_X86_CR4;
        request->u.write_ctrlreg.new_value = 0x1122334455667788;
        request->u.write_ctrlreg.old_value = 0x99aabbccddeeff00;
        break;
    case VM_EVENT_REASON_MOV_TO_MSR:
        fill(&request->u, 24, 2);
        break;
    case VM_EVENT_REASON_SINGLESTEP:
        fill(&request->u, 8, 3);
        break;
    case VM_EVENT_REASON_SOFTWARE_BREAKPOINT:
    case VM_EVENT_REASON_DEBUG_EXCEPTION:
        fill(&request->u, 21, 4);
        break;
    case VM_EVENT_REASON_CPUID:
        fill(&request->u, 12, 5);
        break;
    case VM_EVENT_REASON_INTERRUPT:
        fill(&request->u, 12, 6);
        request->u.interrupt.x86.cr2 = 0x0123456789abcdef;
        break;
    case VM_EVENT_REASON_DESCRIPTOR_ACCESS:
        request->u.desc_access.arch.vmx.instr_info = 0x01020304;
        request->u.desc_access.arch.vmx.exit_qualification = 0x1112131415161718;
        request->u.desc_access.descriptor = VM_EVENT_DESC_GDTR;
        request->u.desc_access.is_write = 1;
        break;
    case VM_EVENT_REASON_VMEXIT:
        fill(&request->u, 16, 7);
        break;
    case XEN_VM_RING_REASON_IO_INSTRUCTION:
        fill(&request->u, 8, 8);
        break;
    default:
        break;
    }
}

void make_request(unsigned int reason, uint32_t arch,
                  vm_event_request_t *request)
{
    memset(request, 0, sizeof(*request));
    request->version = VM_EVENT_INTERFACE_VERSION;
    request->flags = VM_EVENT_FLAG_VCPU_PAUSED | VM_EVENT_FLAG_ALTERNATE_P2M;
    request->reason = reason;
    request->vcpu_id = 3;
    request->altp2m_idx = 0x1234;
    fill_data(reason, request);
    if (arch == XEN_VM_RING_ARCH_ARM) {
        fill(&request->data.regs.arm, sizeof(request->data.regs.arm), 8);
    } else {
        fill(&request->data.regs.x86, sizeof(request->data.regs.x86), 9);
        request->data.regs.x86._pad = 0;
    }
}
