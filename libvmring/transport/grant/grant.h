/* SPDX-License-Identifier: MIT */
/* grant.h: the transport over Xen's grants; scheme.c registers it. */
#ifndef VMRING_TRANSPORT_GRANT_GRANT_H
#define VMRING_TRANSPORT_GRANT_GRANT_H

#include "../scheme.h"

/*
 * A listener for the agents of one domain, "DOMID/TARGET", and for nobody
 * else: *listener has to be NULL.  -EINVAL; what else fails is logged.
 */
int grant_listen(const struct listening *how, const char *where,
                 struct listener **listener);

/* Looks for such a listener of domain DOMID. */
int grant_connect(const struct connecting *how, const char *where,
                  struct link **link);

#endif /* VMRING_TRANSPORT_GRANT_GRANT_H */
