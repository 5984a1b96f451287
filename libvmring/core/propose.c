/* SPDX-License-Identifier: MIT */
/* propose.c: what is wrong with a proposal in itself, for every producer. */
#include "propose.h"

/*
 * What a proposal says beyond what we know must be nothing: the rest of the
 * structure, and of a later minor's.
 */
static bool rest_is_zero(const void *body, uint64_t len)
{
    const unsigned char *bytes = body;
    /* Xen's own offsetof() is in none of the headers that core may use. */
    uint64_t i = __builtin_offsetof(struct xen_vm_ring_propose, reserved);

    for (; i < len; i++)
        if (bytes[i])
            return false;
    return true;
}

uint32_t vmr_propose_check(const struct xen_vm_ring_propose *propose,
                           const void *body, uint64_t len)
{
    if (len < sizeof(*propose) || propose->magic != XEN_VM_RING_MAGIC ||
        propose->length != len || !rest_is_zero(body, len) ||
        propose->version_min > propose->version_max)
        return XEN_VM_RING_REFUSED_MALFORMED;
    if (propose->version_max < XEN_VM_RING_VERSION_MAJOR << 16 ||
        propose->version_min > XEN_VM_RING_VERSION)
        return XEN_VM_RING_REFUSED_VERSION;
    if (propose->record_len && (propose->record_len < XEN_VM_RING_MIN_RECORD ||
                                propose->record_len > XEN_VM_RING_MAX_RECORD ||
                                propose->record_len % 64))
        return XEN_VM_RING_REFUSED_RECORD;
    if (propose->policy > XEN_VM_RING_POLICY_OVERWRITE)
        return XEN_VM_RING_REFUSED_POLICY;
    return XEN_VM_RING_ACCEPTED;
}

uint32_t vmr_propose_verdicts(uint32_t version_max)
{
    return version_max > XEN_VM_RING_VERSION_MAJOR << 16
               ? XEN_VM_RING_VERDICTS
               : XEN_VM_RING_VERDICTS_1_0;
}
