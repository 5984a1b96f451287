/* SPDX-License-Identifier: MIT */
/* number.h: numbers of the command line, as vm_ring(7) has them. */
#ifndef AGENT_NUMBER_H
#define AGENT_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The whole text: decimal without a leading zero, or hexadecimal after 0x.
 * false: it is none, or not from `min` to `max`.
 */
bool number_read(const char *text, uint64_t min, uint64_t max, uint64_t *value);

#endif /* AGENT_NUMBER_H */
