/* SPDX-License-Identifier: MIT */
/*
 * Description: a response is whole while its reserved words are zero, what it
 * injects can be injected and its data fits in its tail, if its flags speak of
 * them.
 */
#include "core/response_check.h"
#include "rig.h"

static bool injects(uint32_t flags, uint32_t vector, uint32_t type,
                    uint32_t insn_len)
{
    struct xen_vm_ring_response response = {.flags = flags};

    response.inject.vector = vector;
    response.inject.type = type;
    response.inject.insn_len = insn_len;
    return vmr_response_is_whole(&response, XEN_VM_RING_ARCH_X86);
}

static bool reads(uint32_t flags, uint32_t size)
{
    struct xen_vm_ring_response response = {.flags = flags};

    response.data.emul_read.size = size;
    return vmr_response_is_whole(&response, XEN_VM_RING_ARCH_X86);
}

int main(void)
{
    struct xen_vm_ring_response response = {0};
    uint32_t inject = XEN_VM_RING_FLAG_INJECT;
    uint32_t read = XEN_VM_RING_FLAG_SET_EMUL_READ_DATA;
    uint32_t room = sizeof(response.data.emul_read.data);

    CHECK(vmr_response_is_whole(&response, XEN_VM_RING_ARCH_X86));
    for (size_t i = 0;
         i < sizeof(response.reserved) / sizeof(response.reserved[0]); i++) {
        response.reserved[i] = 1;
        CHECK(!vmr_response_is_whole(&response, XEN_VM_RING_ARCH_X86));
        response.reserved[i] = 0;
    }

    CHECK(injects(inject, 14, 3, 0));
    CHECK(!injects(inject, 14, 4, 0));
    CHECK(injects(0, 256, 256, 256)); /* nothing is injected */
    /* Xen has nothing that would inject into an arm guest. */
    response.flags = inject;
    response.inject.vector = 14;
    response.inject.type = 3;
    CHECK(vmr_response_is_whole(&response, XEN_VM_RING_ARCH_X86));
    CHECK(!vmr_response_is_whole(&response, XEN_VM_RING_ARCH_ARM));
    response.flags = 0;
    CHECK(vmr_response_is_whole(&response, XEN_VM_RING_ARCH_ARM));

    CHECK(reads(read, room));
    CHECK(!reads(read, room + 1));
    CHECK(!reads(read, UINT32_MAX));
    CHECK(reads(0, UINT32_MAX));
    return 0;
}
