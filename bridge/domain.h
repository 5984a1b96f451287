/* SPDX-License-Identifier: MIT */
/* domain.h: how a domain is named on a command line, and how it has ended. */
#ifndef BRIDGE_DOMAIN_H
#define BRIDGE_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The text without "domain:", which any name can have before it, so that it
 * is taken for nothing else.
 */
const char *domain_text(const char *text);

/* Is it an id, and no name?  "2fast" is one. */
bool domain_is_id(const char *text, uint32_t *domid);

/* How a domain that has shut down came to that: "crashed". */
const char *domain_shutdown_name(unsigned int reason);

#endif /* BRIDGE_DOMAIN_H */
