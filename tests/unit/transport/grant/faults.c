/* SPDX-License-Identifier: MIT */
/*
 * Description: offering, attaching and copying a frozen P with each call that
 * they make failing in turn: said as it is, and nothing is left of it.
 */
#include <errno.h>

#include "faults.h"
#include "grant_rig.h"

#define PAGES 1000 /* two directory pages */

static struct grant_rig rig;
static struct grant_share *other;
static struct region p, c, frozen;

static int offer_all(void)
{
    struct grant_offer offer = {.p = &p,
                                .c = &c,
                                .before = &frozen,
                                .nr_before = 1,
                                .epoch = 3,
                                .port = evtchn_port(rig.ours, 0)};

    return grant_handout_make(rig.share, &offer, &rig.handout, &rig.gref,
                              rig.error, sizeof(rig.error));
}

static int make_all(void)
{
    int err =
        grant_share_open(RIG_AGENT, &rig.share, rig.error, sizeof(rig.error));

    if (!err)
        err = grant_share_open(RIG_AGENT + 1, &other, rig.error,
                               sizeof(rig.error));
    if (!err)
        err = grant_share_make(other, &frozen, RIG_PAGE, true, rig.error,
                               sizeof(rig.error));
    /* Or it would look what of that one's is owed, which is no fault. */
    if (!err)
        grant_share_peer_gone(other);
    if (!err)
        err =
            grant_share_again(rig.share, &frozen, rig.error, sizeof(rig.error));
    if (!err)
        err = evtchn_offer(RIG_AGENT, 1, NULL, &rig.ours, rig.error,
                           sizeof(rig.error));
    if (!err)
        err = grant_share_make(rig.share, &p, PAGES * RIG_PAGE, true, rig.error,
                               sizeof(rig.error));
    if (!err)
        err = grant_share_make(rig.share, &c, RIG_PAGE, false, rig.error,
                               sizeof(rig.error));
    return err;
}

static int attach_all(void)
{
    uint32_t port = evtchn_port(rig.ours, 0);
    int err =
        evtchn_bind(0, &port, 1, &rig.theirs, rig.error, sizeof(rig.error));

    if (!err)
        err = grant_map_open(0, &rig.map, rig.error, sizeof(rig.error));
    if (!err)
        err = grant_map_attach(rig.map, rig.gref, evtchn_port(rig.theirs, 0),
                               &rig.accept, &rig.regions, rig.error,
                               sizeof(rig.error));
    return err;
}

static void prepare(void)
{
    rig = (struct grant_rig){
        .accept = {.epoch = 3,
                   .p_len = PAGES * RIG_PAGE,
                   .c_len = RIG_PAGE,
                   .prev_p_len = {RIG_PAGE}},
        .regions = {.p = REGION_NONE, .c = REGION_NONE},
    };
    other = NULL;
    p = c = frozen = REGION_NONE;
}

static int all(void)
{
    int err = make_all();

    if (!err)
        err = offer_all();
    if (!err)
        err = attach_all();
    if (!err)
        (void)evtchn_ack(rig.theirs);
    return err;
}

static void settle(void)
{
    rig_detach(&rig);
    region_drop(&p);
    region_drop(&c);
    region_drop(&frozen);
    grant_handout_end(rig.handout);
    grant_share_close(rig.share);
    grant_share_close(other);
    evtchn_close(rig.ours);
    fake_xen_check_empty();
}

static const struct expectation expect[] = {
    {"fcntl", 0}, /* nothing hangs on it */
    {"poll", 0},  /* there will be another time */
    {NULL, 0},
};

int main(void)
{
    const struct walk walk = {prepare, all, settle, expect, 0};

    CHECK(faults_walk(&walk) > 40);
    return 0;
}
