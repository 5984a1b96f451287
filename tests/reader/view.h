/* SPDX-License-Identifier: MIT */
/* view.h: what libvmring's core reads from a ring, as JSON. */
#ifndef VMRING_TESTS_VIEW_H
#define VMRING_TESTS_VIEW_H

#include <stdio.h>

#include "core/geometry.h"

/*
 * Reads copies of both regions with the functions of core/ and writes what
 * they gave.  c is NULL for a frozen P.
 */
void view_ring(FILE *out, const void *p, uint64_t p_len, const void *c,
               uint64_t c_len);

#endif /* VMRING_TESTS_VIEW_H */
