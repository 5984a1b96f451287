/* SPDX-License-Identifier: MIT */
/* Description: a legacy ring whose producer index is out of bounds is broken
 * for good, and is not read any more. */
#include <errno.h>

#include "bridge/monitor/legacy_ring.h"
#include "check.h"

static _Alignas(4096) unsigned char page[LEGACY_RING_PAGE];
static vm_event_sring_t *const shared = (void *)page;

static void breaks(uint32_t taken, uint32_t answered, uint32_t producer)
{
    struct legacy_ring ring;
    vm_event_request_t request, before;

    memset(&request, 0xa5, sizeof(request));
    before = request;
    legacy_ring_init(&ring, page);
    ring.taken = taken;
    ring.answered = ring.published = answered;
    shared->req_prod = producer;
    CHECK_EQ(legacy_ring_take(&ring, &request), -EPROTO);
    CHECK_EQ(ring.taken, taken);
    CHECK_EQ(legacy_ring_unanswered(&ring), taken - answered);
    shared->req_prod = taken + 1; /* a good one comes too late */
    CHECK_EQ(legacy_ring_take(&ring, &request), -EPROTO);
    CHECK(!memcmp(&request, &before, sizeof(request)));
}

int main(void)
{
    breaks(0, 0, 9);
    breaks(0, 0, UINT32_MAX); /* behind what was taken */
    breaks(5, 5, 4);
    breaks(8, 2, 11);                  /* more than eight unanswered */
    breaks(3, 0, 2);                   /* took three, says two */
    breaks(UINT32_MAX, UINT32_MAX, 8); /* nine, over the wrap */
    return 0;
}
