/* SPDX-License-Identifier: MIT */
/* propose.h: what is wrong with a proposal in itself, whoever is asked. */
#ifndef VMRING_CORE_PROPOSE_H
#define VMRING_CORE_PROPOSE_H

#include "platform.h"

/*
 * XEN_VM_RING_ACCEPTED, or for what it is refused.  `body` is what was sent, of
 * `len` bytes, and `propose` a copy of as much of it as that has room for, the
 * rest 0: a later minor's may be longer.
 */
uint32_t vmr_propose_check(const struct xen_vm_ring_propose *propose,
                           const void *body, uint64_t len);

/* Those that a consumer of that version knows: another would be no answer. */
uint32_t vmr_propose_verdicts(uint32_t version_max);

#endif /* VMRING_CORE_PROPOSE_H */
