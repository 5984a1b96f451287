/* SPDX-License-Identifier: MIT */
/* rules.h: docs/ABI.md, "Verdicts", written down a second time. */
#ifndef VMRING_TESTS_RULES_H
#define VMRING_TESTS_RULES_H

#include <stdbool.h>
#include <stdint.h>

/* May an answer to this reason have these flags, given these verdicts? */
bool rules_allow(uint32_t reason, uint32_t flags, uint32_t verdicts);

#endif /* VMRING_TESTS_RULES_H */
