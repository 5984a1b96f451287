/* SPDX-License-Identifier: MIT */
/*
 * Description: a frozen P goes to a successor in the same domain as it is, and
 * to one in another domain as a copy that is shared with that one.
 */
#include <string.h>

#include "grant_rig.h"

static struct region *dropped;

static void drop(struct region_owner *owner, struct region *region)
{
    (void)owner;
    dropped = region;
}

/* One of another transport. */
static void not_granted(struct grant_share *share)
{
    struct region_owner owner = {drop};
    struct region region;
    char page[RIG_PAGE] = "page";

    CHECK_EQ(region_make(&region, "test", RIG_PAGE, 1), 0);
    memcpy(region.at, "memfd", 6);
    CHECK_EQ(grant_share_again(share, &region, NULL, 0), 0);
    CHECK(region.fd < 0 && !strcmp(region.at, "memfd"));
    region_drop(&region);
    region =
        (struct region){.at = page, .len = RIG_PAGE, .fd = -1, .owner = &owner};
    CHECK_EQ(grant_share_again(share, &region, NULL, 0), 0);
    CHECK(dropped == &region && !strcmp(region.at, "page"));
    region_drop(&region);
}

int main(void)
{
    struct grant_rig rig;
    struct grant_share *other;
    void *was;

    rig_offer(&rig, 3, 1, 0);
    CHECK_EQ(rig_attach(&rig), 0);
    memset(rig.p.at, 0x5a, rig.p.len);
    was = rig.p.at;
    CHECK_EQ(grant_share_again(rig.share, &rig.p, rig.error, sizeof(rig.error)),
             0);
    CHECK(rig.p.at == was);

    CHECK_EQ(
        grant_share_open(RIG_AGENT + 1, &other, rig.error, sizeof(rig.error)),
        0);
    CHECK_EQ(grant_share_again(other, &rig.p, rig.error, sizeof(rig.error)), 0);
    CHECK(rig.p.at != was);
    CHECK_EQ(grant_share_pages(other), 3);
    for (size_t i = 0; i < rig.p.len; i++)
        CHECK(((const char *)rig.p.at)[i] == 0x5a);
    /* The one before is still mapped. */
    CHECK_EQ(grant_share_parked(rig.share), 3);
    CHECK_EQ(fake_xen.deferred_ever, 0);
    grant_share_close(other);
    not_granted(rig.share);
    rig_end(&rig);
    return 0;
}
