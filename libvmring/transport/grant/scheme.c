/* SPDX-License-Identifier: MIT */
/* scheme.c: grant:DOMID/TARGET. */
#include "grant.h"

static const struct scheme grant_scheme = {
    .name = "grant:",
    .connect = grant_connect,
    .listen = grant_listen,
};

SCHEME_REGISTER(grant, &grant_scheme);
