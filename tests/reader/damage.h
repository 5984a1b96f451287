/* SPDX-License-Identifier: MIT */
/* damage.h: headers that were damaged, and what the core makes of them. */
#ifndef VMRING_TESTS_DAMAGE_H
#define VMRING_TESTS_DAMAGE_H

#include <stdio.h>

#include "core/geometry.h"

/*
 * Writes, for the header of `geo`, each field in turn with values that may
 * hurt, several at once, and other lengths of the regions.  A case is
 * {p_len, c_len (all ones: no C), accepted, the header}, words of 64 bits.
 */
void damage_header(FILE *out, const struct vmr_geometry *geo, uint64_t *seed);

#endif /* VMRING_TESTS_DAMAGE_H */
