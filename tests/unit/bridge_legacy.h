/* SPDX-License-Identifier: MIT */
/* bridge_legacy.h: requests as Xen would put them. */
#ifndef TESTS_BRIDGE_LEGACY_H
#define TESTS_BRIDGE_LEGACY_H

#include "vm_event/response.h"

/*
 * A request of this reason whose every byte that has a meaning for it is
 * different from its neighbours; the others are zero.
 */
void make_request(unsigned int reason, uint32_t arch,
                  vm_event_request_t *request);

#endif /* TESTS_BRIDGE_LEGACY_H */
