/* SPDX-License-Identifier: MIT */
/* refused.c: why a producer refused, in the caller's terms. */
#include <errno.h>

#include "../text/verdicts.h"
#include "attach.h"

/* Of verdicts that only a later version has, their bits. */
static int refuse_verdicts(struct attach *attach)
{
    const struct xen_vm_ring_accept *g = &attach->reply.body;
    char wanted[VERDICTS_TEXT], allowed[VERDICTS_TEXT];
    uint32_t unknown = attach->opts.verdicts & ~(uint32_t)XEN_VM_RING_VERDICTS;

    verdicts_format(attach->opts.verdicts, wanted);
    verdicts_format(g->allowed_verdicts, allowed);
    if (unknown)
        return FAIL(attach, -EPERM,
                    "verdicts refused: bits 0x%x have no name here, besides "
                    "%s; the producer allows %s",
                    unknown, wanted, allowed);
    return FAIL(attach, -EPERM,
                "verdicts refused: %s; the producer allows %s: see its "
                "--allow-verdicts",
                wanted, allowed);
}

int attach_refused(struct attach *attach)
{
    const struct xen_vm_ring_accept *g = &attach->reply.body;

    switch (g->result) {
    case XEN_VM_RING_REFUSED_VERSION:
        return FAIL(attach, -EOPNOTSUPP,
                    "the producer speaks version %u.%u of the ring, this is "
                    "%u.%u; update the older of the two",
                    g->version >> 16, g->version & 0xffff,
                    XEN_VM_RING_VERSION_MAJOR, XEN_VM_RING_VERSION_MINOR);
    case XEN_VM_RING_REFUSED_FEATURE:
        return FAIL(attach, -EOPNOTSUPP,
                    "the producer lacks a required feature; it has 0x%llx",
                    (unsigned long long)g->features);
    case XEN_VM_RING_REFUSED_ASYNC_LEN:
        return FAIL(attach, -EMSGSIZE,
                    "size %llu of the asynchronous ring refused (vCPUs: %u, "
                    "record size: %u); the minimum is %llu bytes, the maximum "
                    "%llu",
                    (unsigned long long)attach->opts.async_len, g->nr_vcpus,
                    g->record_len, (unsigned long long)g->min_async_len,
                    (unsigned long long)g->max_async_len);
    case XEN_VM_RING_REFUSED_RECORD:
        return FAIL(attach, -EOPNOTSUPP,
                    "record size %u refused; use a multiple of 64 from %u to "
                    "%u",
                    attach->opts.record_len, XEN_VM_RING_MIN_RECORD,
                    XEN_VM_RING_MAX_RECORD);
    case XEN_VM_RING_REFUSED_POLICY:
        return FAIL(attach, -EOPNOTSUPP, "loss policy %u refused",
                    attach->opts.loss_policy);
    case XEN_VM_RING_REFUSED_GROUPS:
        return FAIL(attach, -EOPNOTSUPP,
                    "%u doorbell groups (one a worker, where there are "
                    "workers) refused; at most %u, one a vCPU",
                    attach->opts.nr_groups, g->max_groups);
    case XEN_VM_RING_REFUSED_VERDICTS:
        return refuse_verdicts(attach);
    case XEN_VM_RING_REFUSED_DEADLINE:
        return FAIL(attach, -ERANGE,
                    "deadline of %llu ms refused; the producer's maximum is "
                    "%llu ms",
                    (unsigned long long)(attach->opts.deadline_ns / 1000000),
                    (unsigned long long)(g->max_deadline / 1000000));
    case XEN_VM_RING_REFUSED_BUSY:
        return FAIL(attach, -EBUSY,
                    "another agent is attached to '%s', or began to not a "
                    "second ago; end it, or try again",
                    attach->uri);
    case XEN_VM_RING_REFUSED_PERMISSION:
        return FAIL(attach, -EACCES,
                    "the producer does not serve this user; see its --mode");
    case XEN_VM_RING_REFUSED_MEMORY:
        return FAIL(attach, -ENOMEM,
                    "the producer has no memory or no descriptors for the "
                    "ring; raise its limits (ulimit -v, -f, -n), or ask for "
                    "fewer bytes or groups");
    case XEN_VM_RING_REFUSED_TARGET:
        return FAIL(attach, -ESRCH, "the target is gone");
    default:
        return FAIL(attach, -EPROTO, "the producer refused for reason %u",
                    g->result);
    }
}
