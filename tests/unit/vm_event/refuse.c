/* SPDX-License-Identifier: MIT */
/* Description: requests of another version, of a vCPU or a reason that does
 * not exist are refused, and leave the event as it was. */
#include "check.h"
#include "legacy_request.h"

static void refused(const vm_event_request_t *request, int why)
{
    struct xen_vm_ring_event event, before;

    memset(&event, 0xa5, sizeof(event));
    before = event;
    CHECK_EQ(vm_event_to_ring(request, XEN_VM_RING_ARCH_X86, 4, &event), why);
    CHECK(!memcmp(&event, &before, sizeof(event)));
}

int main(void)
{
    vm_event_request_t request;

    make_request(VM_EVENT_REASON_CPUID, XEN_VM_RING_ARCH_X86, &request);
    request.version++;
    refused(&request, CONVERT_BAD_VERSION);
    request.version -= 2;
    refused(&request, CONVERT_BAD_VERSION);

    make_request(VM_EVENT_REASON_CPUID, XEN_VM_RING_ARCH_X86, &request);
    request.vcpu_id = 4;
    refused(&request, CONVERT_BAD_VCPU);
    request.vcpu_id = UINT32_MAX;
    refused(&request, CONVERT_BAD_VCPU);
    request.vcpu_id = 0x10000; /* would be 0 in 16 bits */
    refused(&request, CONVERT_BAD_VCPU);

    make_request(VM_EVENT_REASON_CPUID, XEN_VM_RING_ARCH_X86, &request);
    request.reason = XEN_VM_RING_NR_REASONS;
    refused(&request, CONVERT_BAD_REASON);
    request.reason = 0x10000 + VM_EVENT_REASON_CPUID;
    refused(&request, CONVERT_BAD_REASON);
    return 0;
}
