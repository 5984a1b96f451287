/* SPDX-License-Identifier: MIT */
/*
 * Description: a response is whole while its reserved words are zero, what it
 * injects fits in bytes and its data in its tail, if its flags speak of them.
 */
#include "rig.h"

static bool injects(uint32_t flags, uint32_t vector, uint32_t type,
                    uint32_t insn_len)
{
    struct xen_vm_ring_response response = {.flags = flags};

    response.inject.vector = vector;
    response.inject.type = type;
    response.inject.insn_len = insn_len;
    return vmr_response_is_whole(&response);
}

static bool reads(uint32_t flags, uint32_t size)
{
    struct xen_vm_ring_response response = {.flags = flags};

    response.data.emul_read.size = size;
    return vmr_response_is_whole(&response);
}

int main(void)
{
    struct xen_vm_ring_response response = {0};
    uint32_t inject = XEN_VM_RING_FLAG_INJECT;
    uint32_t read = XEN_VM_RING_FLAG_SET_EMUL_READ_DATA;
    uint32_t room = sizeof(response.data.emul_read.data);

    CHECK(vmr_response_is_whole(&response));
    for (size_t i = 0;
         i < sizeof(response.reserved) / sizeof(response.reserved[0]); i++) {
        response.reserved[i] = 1;
        CHECK(!vmr_response_is_whole(&response));
        response.reserved[i] = 0;
    }

    CHECK(injects(inject, 255, 255, 255));
    CHECK(!injects(inject, 256, 0, 0));
    CHECK(!injects(inject, 0, 256, 0));
    CHECK(!injects(inject, 0, 0, 256));
    CHECK(injects(0, 256, 256, 256)); /* nothing is injected */

    CHECK(reads(read, room));
    CHECK(!reads(read, room + 1));
    CHECK(!reads(read, UINT32_MAX));
    CHECK(reads(0, UINT32_MAX));
    return 0;
}
