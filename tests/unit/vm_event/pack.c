/* SPDX-License-Identifier: MIT */
/* Description: a legacy request packed and unpacked is the same, byte by byte,
 * for every reason and architecture; selectors are whole words in between. */
#include "check.h"
#include "legacy_request.h"

/* Registers alone, over what was there before: every byte is written. */
static void over_others(const vm_event_request_t *request, uint32_t arch,
                        const struct xen_vm_ring_event *event)
{
    struct xen_vm_ring_event again;

    memset(&again, 0xa5, sizeof(again));
    CHECK_EQ(vm_event_head_to_ring(request, 4, &again), CONVERT_OK);
    CHECK(!memcmp(&again, event, XEN_VM_RING_EVENT_HEAD));
    CHECK_EQ(again.regs.words[0], 0xa5a5a5a5a5a5a5a5);
    CHECK_EQ(again.regs.words[XEN_VM_RING_REGS_LEN / 8 - 1],
             0xa5a5a5a5a5a5a5a5);
    vm_event_regs_to_ring(request, arch, &again.regs);
    CHECK(!memcmp(&again, event, sizeof(again)));
}

static void round_trip(unsigned int reason, uint32_t arch)
{
    vm_event_request_t request, again;
    struct xen_vm_ring_event event = {0};

    make_request(reason, arch, &request);
    CHECK_EQ(vm_event_to_ring(&request, arch, 4, &event), CONVERT_OK);
    CHECK_EQ(event.reason, reason);
    CHECK_EQ(event.vcpu, 3);
    CHECK_EQ(event.altp2m_idx, 0x1234);
    CHECK_EQ(event.flags,
             XEN_VM_RING_FLAG_VCPU_PAUSED | XEN_VM_RING_FLAG_ALTERNATE_P2M);
    CHECK_EQ(event.length, XEN_VM_RING_EVENT_FULL);
    vm_event_from_ring(&event, arch, &again);
    CHECK(!memcmp(&request, &again, sizeof(request)));
    CHECK_EQ(event.lost, 0);
    CHECK_EQ(event.regs.x86.known, 0);
    if (arch == XEN_VM_RING_ARCH_ARM)
        for (size_t i = 5; i < XEN_VM_RING_REGS_LEN / 8; i++)
            CHECK_EQ(event.regs.words[i], 0);
    over_others(&request, arch, &event);
}

int main(void)
{
    vm_event_request_t request;
    struct xen_vm_ring_event event;

    for (unsigned int i = 0; i < XEN_VM_RING_NR_REASONS; i++) {
        if (i == VM_EVENT_REASON_MEM_SHARING || i == VM_EVENT_REASON_MEM_PAGING)
            continue; /* of other rings than the monitor's */
        round_trip(i, XEN_VM_RING_ARCH_X86);
        round_trip(i, XEN_VM_RING_ARCH_ARM);
    }

    /* uint32_t bytes, uint16_t port, uint8_t in, uint8_t str. */
    make_request(XEN_VM_RING_REASON_IO_INSTRUCTION, XEN_VM_RING_ARCH_X86,
                 &request);
    memcpy(&request.u, "\x04\0\0\0\xf8\x03\x01\0", 8);
    CHECK_EQ(vm_event_to_ring(&request, XEN_VM_RING_ARCH_X86, 4, &event),
             CONVERT_OK);
    CHECK_EQ(event.u.io.bytes, 4);
    CHECK_EQ(event.u.io.port, 0x3f8);
    CHECK_EQ(event.u.io.in, 1);
    CHECK_EQ(event.u.io.str, 0);

    make_request(VM_EVENT_REASON_CPUID, XEN_VM_RING_ARCH_X86, &request);
    request.data.regs.x86.cs.limit = 0xfffff;
    request.data.regs.x86.cs.ar = 0xa9b;
    CHECK_EQ(vm_event_to_ring(&request, XEN_VM_RING_ARCH_X86, 4, &event),
             CONVERT_OK);
    CHECK_EQ(event.regs.x86.cs, 0xa9bfffff);
    return 0;
}
