/* SPDX-License-Identifier: MIT */
/*
 * platform.h: what core/ is compiled with: fixed-width types, bool, size_t,
 * NULL, and the ABI.  Nothing else in core/ includes a header of the system.
 *
 * memcpy() and memset() are called by no name, but compilers make calls of
 * them where structures are assigned: a C library has them, a hypervisor too,
 * and a freestanding program links its own.
 */
#ifndef VMRING_CORE_PLATFORM_H
#define VMRING_CORE_PLATFORM_H

#ifdef __XEN__

#include <xen/string.h>
#include <xen/types.h>

#include <public/vm_ring.h> /* takes the types as they are */

#ifndef UINT64_MAX /* before 4.21 */
#define UINT64_MAX (~0ULL)
#endif

#else

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/vm_ring.h>

#endif

#endif /* VMRING_CORE_PLATFORM_H */
