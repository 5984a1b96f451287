/* SPDX-License-Identifier: MIT */
/*
 * names.h: what the architecture and Xen call the numbers in events.
 */
#ifndef AGENT_NAMES_H
#define AGENT_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* Each is static, or NULL where the number has no name known here. */
const char *name_of_ctrlreg(uint32_t index);
const char *name_of_msr(uint64_t msr);
const char *name_of_descriptor(uint32_t descriptor);
const char *name_of_trap_type(uint32_t type);
const char *name_of_vector(uint32_t vector);
const char *name_of_shutdown(unsigned int reason);
const char *name_of_target(uint32_t state); /* "paused"... */

/* How -e names what is reported as `reason`: "cpuid", "msr", "mem"... */
const char *name_of_kind(uint16_t reason);

/* The i-th MSR that has a name, and its number; NULL behind the last. */
const char *name_of_nth_msr(unsigned int i, uint64_t *msr);

/*
 * Names of the bits set in `bits` of a control register, separated by '|', in
 * `text`.  Returns the bits that have none, or no room.
 */
uint64_t names_of_ctrlreg_bits(uint32_t index, uint64_t bits, char *text,
                               size_t len);

/* "rw-": the access of a mem_access event, from its flags. */
const char *name_of_access(uint32_t flags);
#define ACCESS_GLA_VALID      (1U << 3)
#define ACCESS_FAULT_WITH_GLA (1U << 4)
#define ACCESS_FAULT_IN_GPT   (1U << 5)

#endif /* AGENT_NAMES_H */
