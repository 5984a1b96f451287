/* SPDX-License-Identifier: MIT */
/*
 * allow.h: which kinds of event may be armed.  Finer than by reason: cr3 and
 * cr4 are one reason and two kinds.
 */
#ifndef BRIDGE_ALLOW_H
#define BRIDGE_ALLOW_H

#include <stdbool.h>

#include "../libvmring/vmring.h"

struct allow {
    uint64_t kinds; /* bit i: the i-th vmring_get_kind() */
};

/*
 * Parses kinds ("cpuid,cr4") or reasons ("write_ctrlreg"), "all", "none".
 * 0; -EINVAL and one line in error.
 */
int allow_parse(const char *text, struct allow *allow, char *error,
                size_t error_len);

/* May it be armed? */
bool allow_spec(const struct allow *allow, const struct vmring_spec *spec);

/* The mask of reasons that have an allowed kind. */
uint32_t allow_reasons(const struct allow *allow);

#endif /* BRIDGE_ALLOW_H */
