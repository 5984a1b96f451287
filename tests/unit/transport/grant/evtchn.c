/* SPDX-License-Identifier: MIT */
/*
 * Description: doorbells of event channels: each ring is told once, to its
 * group, however many come before it is acknowledged; one that comes between
 * is not lost; whoever rings without end is heard a bounded number of times.
 */
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "grant_rig.h"

#define GROUPS 64

static char error[256];

static int readable(const struct evtchn *bells, int timeout_ms)
{
    struct pollfd pfd = {.fd = evtchn_fd(bells), .events = POLLIN};

    return poll(&pfd, 1, timeout_ms);
}

static void open_both(uint32_t nr, struct evtchn **ours, struct evtchn **theirs)
{
    uint32_t ports[GROUPS];

    CHECK_EQ(evtchn_offer(7, nr, NULL, ours, error, sizeof(error)), 0);
    for (uint32_t g = 0; g < nr; g++)
        ports[g] = evtchn_port(*ours, g);
    CHECK_EQ(evtchn_bind(0, ports, nr, theirs, error, sizeof(error)), 0);
    /* Xen rings a port that is bound: it may have been rung before. */
    CHECK_EQ(evtchn_ack(*theirs), nr == 64 ? UINT64_MAX : (1ULL << nr) - 1);
    CHECK_EQ(readable(*theirs, 0), 0);
}

static void close_both(struct evtchn *ours, struct evtchn *theirs)
{
    evtchn_close(ours);
    evtchn_close(theirs);
    fake_xen_check_empty();
}

static void told_once(void)
{
    struct evtchn *ours, *theirs;

    open_both(GROUPS, &ours, &theirs);
    for (uint32_t g = 0; g < GROUPS; g++) {
        for (int i = 0; i < 3; i++)
            evtchn_ring(ours, g);
        evtchn_ring(theirs, GROUPS - 1 - g);
        CHECK_EQ(readable(theirs, 0), 1);
        /* It was masked when it was first rung: the others came as one. */
        CHECK_EQ(evtchn_ack(theirs), 1ULL << g);
        CHECK_EQ(evtchn_ack(theirs), 1ULL << g);
        CHECK_EQ(evtchn_ack(theirs), 0);
        CHECK_EQ(readable(theirs, 0), 0);
        CHECK_EQ(evtchn_ack(ours), 1ULL << (GROUPS - 1 - g));
        CHECK_EQ(evtchn_ack(ours), 0);
    }
    evtchn_ring(ours, GROUPS); /* no such group */
    CHECK_EQ(evtchn_ack(theirs), 0);
    for (uint32_t g = 0; g < GROUPS; g++)
        evtchn_ring(ours, g);
    CHECK_EQ(evtchn_ack(theirs), UINT64_MAX);
    close_both(ours, theirs);
}

/* Rings as often as it is listened to. */
static void without_end(void)
{
    struct evtchn *ours, *theirs;
    struct timespec from, to;
    uint64_t heard = 1, ns; /* when it was bound */

    clock_gettime(CLOCK_MONOTONIC, &from);
    open_both(1, &ours, &theirs);
    for (int i = 0; i < 50 * BELLS_BURST; i++) {
        evtchn_ring(ours, 0);
        heard += evtchn_ack(theirs);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    ns = (uint64_t)((to.tv_sec - from.tv_sec) * 1000000000LL +
                    (to.tv_nsec - from.tv_nsec));
    CHECK(heard >= BELLS_BURST);
    /* The one that is too many is heard, before those after it wait. */
    CHECK(heard <= BELLS_BURST + 1 + BELLS_PER_SECOND * ns / 1000000000);
    /* What was rung last is heard. */
    evtchn_ring(ours, 0);
    CHECK_EQ(readable(theirs, 10000), 1);
    while (!evtchn_ack(theirs))
        CHECK_EQ(readable(theirs, 10000), 1);
    close_both(ours, theirs);
}

/* However many ports it rings: they have one budget. */
static void by_all_ports(void)
{
    struct evtchn *ours, *theirs;
    struct timespec from, to;
    uint64_t heard = GROUPS, ns;

    clock_gettime(CLOCK_MONOTONIC, &from);
    open_both(GROUPS, &ours, &theirs);
    for (int i = 0; i < 20 * BELLS_BURST; i++) {
        for (uint32_t g = 0; g < GROUPS; g++)
            evtchn_ring(ours, g);
        heard += (uint64_t)__builtin_popcountll(evtchn_ack(theirs));
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    ns = (uint64_t)((to.tv_sec - from.tv_sec) * 1000000000LL +
                    (to.tv_nsec - from.tv_nsec));
    /* And each port once, before it waits. */
    CHECK(heard <=
          BELLS_BURST + 2 * GROUPS + BELLS_PER_SECOND * ns / 1000000000);
    close_both(ours, theirs);
}

/* A neighbour that is flooded holds up nobody for long. */
static void neighbour(void)
{
    struct evtchn *ours, *theirs;

    open_both(2, &ours, &theirs);
    for (int i = 0; i < 64 * BELLS_BURST; i++) {
        evtchn_ring(ours, 0);
        if (!evtchn_ack(theirs))
            break;
    }
    for (int i = 0; i < 3; i++) {
        evtchn_ring(ours, 1);
        while (!(evtchn_ack(theirs) & 2))
            CHECK_EQ(readable(theirs, 10000), 1);
    }
    /* Both at once: one timer for both. */
    for (int i = 0; i < 4 * BELLS_BURST; i++) {
        evtchn_ring(ours, 0);
        evtchn_ring(ours, 1);
        (void)evtchn_ack(theirs);
    }
    close_both(ours, theirs);
}

static void refused(void)
{
    struct evtchn *bells;
    uint32_t port = 200;

    CHECK_EQ(evtchn_offer(7, 0, NULL, &bells, error, sizeof(error)), -EINVAL);
    CHECK_EQ(evtchn_offer(7, 65, NULL, &bells, error, sizeof(error)), -EINVAL);
    CHECK_EQ(evtchn_bind(0, &port, 1, &bells, error, sizeof(error)), -EINVAL);
    CHECK_HAS(error, "cannot bind event channel 200 of domain 0");
    CHECK_EQ(evtchn_bind(0, &port, 0, &bells, error, sizeof(error)), -EINVAL);
    CHECK_EQ(evtchn_bind(0, &port, 65, &bells, error, sizeof(error)), -EINVAL);
    fake_xen.port_errno = ENOSPC;
    CHECK_EQ(evtchn_offer(7, 2, NULL, &bells, error, sizeof(error)), -ENOSPC);
    CHECK_HAS(error, "no event channel for domain 7");
    fake_xen.mute = true;
    CHECK_EQ(evtchn_offer(7, 2, NULL, &bells, error, sizeof(error)), -EINVAL);
    fake_xen.mute = false;
    fake_xen.port_errno = 0;
    evtchn_close(NULL);
    fake_xen_check_empty();
}

int main(void)
{
    told_once();
    without_end();
    by_all_ports();
    neighbour();
    refused();
    return 0;
}
