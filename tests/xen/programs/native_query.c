/* SPDX-License-Identifier: MIT */
/*
 * vmring-lab-native-query: what a Xen that is the producer itself has counted
 * of a domain's ring, over all of its epochs: KEY=VALUE, a line each.
 *
 *   vmring-lab-native-query DOMID
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "transport/xen/calls.h"

static void say(const char *key, uint64_t value)
{
    printf("%s=%" PRIu64 "\n", key, value);
}

int main(int argc, char **argv)
{
    struct xen_vm_ring_query query = {0};
    struct calls calls;
    int rc;

    if (argc != 2)
        errx(2, "which domain?");
    rc = xen_begin_calls(&calls, (uint32_t)atoi(argv[1]));
    if (!rc)
        rc = xen_ring(&calls, XEN_VM_RING_OP_QUERY, &query, sizeof(query));
    if (rc) {
        errno = -rc;
        err(1, "domain %s", argv[1]);
    }
    say("requests", query.requests);
    say("records", query.records);
    say("answered", query.answered);
    say("by_deadline", query.by_deadline);
    say("by_detach", query.by_detach);
    say("by_overflow", query.by_overflow);
    say("discarded", query.discarded);
    say("abandoned", query.abandoned);
    say("ignored", query.ignored);
    say("lane_faults", query.lane_faults);
    say("waited", query.waited);
    say("doorbells_sent", query.doorbells_sent);
    say("doorbells_heard", query.doorbells_heard);
    say("epoch", query.epoch);
    say("pending", query.pending);
    say("attached", query.attached);
    say("pages", query.pages);
    xen_end_calls(&calls);
    return 0;
}
