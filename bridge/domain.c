/* SPDX-License-Identifier: MIT */
#include "domain.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

/* Greater ids are Xen's own: DOMID_FIRST_RESERVED. */
#define MAX_DOMID 0x7fef

static bool name_is(struct xs_handle *xs, const char *domid, const char *name)
{
    char path[64];
    char *found;
    bool same;

    snprintf(path, sizeof(path), "/local/domain/%s/name", domid);
    found = xs_read(xs, XBT_NULL, path, NULL);
    same = found && strcmp(found, name) == 0;
    free(found);
    return same;
}

static long domid_by_name(struct xs_handle *xs, const char *name)
{
    unsigned int nr = 0;
    char **domids;
    long domid = NO_DOMAIN;

    if (!xs)
        return NO_DOMAIN;
    domids = xs_directory(xs, XBT_NULL, "/local/domain", &nr);
    for (unsigned int i = 0; domids && i < nr; i++) {
        if (name_is(xs, domids[i], name))
            domid = strtol(domids[i], NULL, 10);
    }
    free(domids);
    return domid;
}

long domain_find(struct xs_handle *xs, const char *text)
{
    char *end;
    long domid;

    if (!isdigit((unsigned char)text[0]))
        return domid_by_name(xs, text);
    errno = 0;
    domid = strtol(text, &end, 10);
    if (errno || *end || domid > MAX_DOMID)
        return domid_by_name(xs, text); /* "2fast" may be a name */
    return domid;
}
