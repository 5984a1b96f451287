/* SPDX-License-Identifier: MIT */
/*
 * response_check.h: which answers make sense, and which were negotiated.  Both
 * ends ask: the consumer before it answers, so that its user has an error, and
 * the producer of what it finds.
 */
#ifndef VMRING_CORE_RESPONSE_CHECK_H
#define VMRING_CORE_RESPONSE_CHECK_H

#include "platform.h"

/* What a response's flags come to. */
enum vmr_flags {
    VMR_FLAGS_ALLOWED = 0,
    VMR_FLAGS_INVALID, /* its reason has no such answer, or they do not mix */
    VMR_FLAGS_DENIED,  /* a verdict that was not negotiated */
};

/* May a consumer with these verdicts answer an event of `reason` with them? */
enum vmr_flags vmr_response_check(uint32_t reason, uint32_t flags,
                                  uint32_t verdicts);

/*
 * Is all the data there that its flags speak of, and such as a target of
 * `arch` can be given?
 */
bool vmr_response_is_whole(const struct xen_vm_ring_response *response,
                           uint32_t arch);

/* Can x86 and Xen bear that this is injected?  docs/ABI.md has the table. */
bool vmr_inject_is_borne(const struct xen_vm_ring_inject *inject);

#endif /* VMRING_CORE_RESPONSE_CHECK_H */
