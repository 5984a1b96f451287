/* SPDX-License-Identifier: GPL-2.0-only */
/* negotiate.c: what Xen accepts of a proposal, and what it refuses. */
#include "core/propose.h"
#include "ring.h"

#define DEFAULT_ASYNC_LEN KB(64)

#define FULL_RECORD ((XEN_VM_RING_EVENT_FULL + 63) / 64 * 64)

#define FEATURES XEN_VM_RING_FEATURE_REGISTERS

static uint32_t check_limits(const struct xen_vm_ring_propose *propose,
                             const struct xen_vm_ring_accept *accept, bool busy)
{
    if ( propose->features_required & ~(FEATURES | XEN_VM_RING_FEATURE_ASK) )
        return XEN_VM_RING_REFUSED_FEATURE;
    if ( busy )
        return XEN_VM_RING_REFUSED_BUSY;
    if ( accept->async_len < accept->min_async_len ||
         accept->async_len > accept->max_async_len )
        return XEN_VM_RING_REFUSED_ASYNC_LEN;
    if ( !propose->nr_groups || propose->nr_groups > accept->max_groups )
        return XEN_VM_RING_REFUSED_GROUPS;
    if ( propose->verdicts & ~accept->allowed_verdicts )
        return XEN_VM_RING_REFUSED_VERDICTS;
    return propose->features_required & XEN_VM_RING_FEATURE_ASK
           ? XEN_VM_RING_REFUSED_ASKED : XEN_VM_RING_ACCEPTED;
}

/* What this CPU and this Xen can do. */
static uint32_t verdicts(const struct domain *d, uint32_t version)
{
    uint32_t all = vmr_propose_verdicts(version);

    if ( RING_ARCH != XEN_VM_RING_ARCH_X86 )
        return all & (XEN_VM_RING_VERDICT_SET_REGISTERS |
                      XEN_VM_RING_VERDICT_CONTINUE);
    return all;
}

static void fill_in(const struct xen_vm_ring_propose *propose,
                    struct xen_vm_ring_accept *accept)
{
    accept->record_len = propose->record_len ?: FULL_RECORD;
    accept->min_async_len =
        vmr_min_async_len(accept->nr_vcpus, accept->record_len);
    accept->max_async_len =
        max_t(uint64_t, RING_MAX_ASYNC, accept->min_async_len);
    accept->async_len =
        propose->async_len ?: max_t(uint64_t, DEFAULT_ASYNC_LEN,
                                    accept->min_async_len);
    if ( propose->version_max < accept->version )
        accept->version = propose->version_max;
    accept->policy = propose->policy;
    accept->nr_groups = propose->nr_groups;
    accept->verdicts = propose->verdicts;
    accept->features = FEATURES;
    accept->deadline = propose->deadline ?: RING_DEFAULT_DEADLINE;
    if ( accept->deadline == XEN_VM_RING_FOR_EVER )
        accept->deadline = 0;
}

/* Of a refusal: what was asked for is not in use. */
static void take_out_terms(struct xen_vm_ring_accept *accept)
{
    accept->version = XEN_VM_RING_VERSION;
    accept->features = FEATURES | XEN_VM_RING_FEATURE_ASK;
    if ( accept->result == XEN_VM_RING_REFUSED_ASKED )
        return;
    accept->async_len = accept->deadline = 0;
    accept->policy = accept->nr_groups = accept->verdicts = 0;
}

void ring_refuse(struct xen_vm_ring_accept *accept, uint32_t result)
{
    accept->result = result;
    take_out_terms(accept);
}

bool ring_negotiate(const struct vm_ring *ring, const struct domain *d,
                    const struct xen_vm_ring_propose *propose, bool busy,
                    struct xen_vm_ring_accept *accept)
{
    uint32_t result;

    *accept = (struct xen_vm_ring_accept){
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(*accept),
        .version = XEN_VM_RING_VERSION,
        .nr_vcpus = d->max_vcpus,
        .arch = RING_ARCH,
        .max_groups = min_t(uint32_t, d->max_vcpus, XEN_VM_RING_MAX_GROUPS),
        .allowed_verdicts = verdicts(d, propose->version_max),
    };
    result = vmr_propose_check(propose, propose, sizeof(*propose));
    if ( !result )
    {
        fill_in(propose, accept);
        result = check_limits(propose, accept, busy);
    }
    if ( result )
        ring_refuse(accept, result);
    return !result;
}
