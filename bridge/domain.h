/* SPDX-License-Identifier: MIT */
/* domain.h: how a domain is named on a command line, and how it has ended. */
#ifndef BRIDGE_DOMAIN_H
#define BRIDGE_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What stands behind "domain:", which any name can have before it, so that it
 * is taken for nothing else; or all of it.
 */
const char *domain_text(const char *text);

/* Is it an id, and no name?  "2fast" is one. */
bool domain_is_id(const char *text, uint32_t *domid);

/* What one that has shut down has done: "crashed". */
const char *domain_shutdown_name(unsigned int reason);

#endif /* BRIDGE_DOMAIN_H */
