/* SPDX-License-Identifier: MIT */
/* What Xen's own xen/string.h has, as far as core/ uses it. */
#ifndef __XEN_STRING_H__
#define __XEN_STRING_H__

#include <xen/types.h>

void *memcpy(void *to, const void *from, size_t len);
void *memset(void *to, int byte, size_t len);

#endif /* __XEN_STRING_H__ */
