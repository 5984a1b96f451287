/* SPDX-License-Identifier: MIT */
/* scheme.c: xen:DOMID. */
#include "xen.h"

static const struct scheme xen_scheme = {
    .name = "xen:",
    .connect = xen_connect,
};

SCHEME_REGISTER(xen, &xen_scheme);
