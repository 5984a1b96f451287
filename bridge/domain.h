/* SPDX-License-Identifier: MIT */
/* domain.h: which domain is meant. */
#ifndef BRIDGE_DOMAIN_H
#define BRIDGE_DOMAIN_H

struct xs_handle;

#define NO_DOMAIN (-1)

/* The domain of this id or name; NO_DOMAIN.  xs may be NULL: ids only. */
long domain_find(struct xs_handle *xs, const char *text);

#endif /* BRIDGE_DOMAIN_H */
