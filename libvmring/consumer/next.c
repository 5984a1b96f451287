/* SPDX-License-Identifier: MIT */
/* next.c: what the ring's own thread takes. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drain.h"
#include "groups.h"
#include "respond.h"
#include "target.h"
#include "told.h"

/* Tries in one call while the producer overruns us, before we yield. */
#define MAX_TRIES 64

/* Takes the control messages that have come. */
static void poll_control(struct vmring *ring)
{
    unsigned char body[64];
    uint32_t type;
    int len;

    if (ring->lost)
        return;
    len = ring->link->ops->recv(ring->link, &type, body, sizeof(body), 0);
    if (len == -EAGAIN || len == -EINTR)
        return;
    if (len < 0)
        (void)told_lost(ring, len);
    else
        told_message(ring, type);
}

/*
 * Overrun all the time, or more to look at than one call may: the caller is to
 * come again, and no doorbell will say so.
 */
static void wake_caller(struct vmring *ring)
{
    if (!ring->poked)
        ring->poked = ring_poke(ring);
}

/* Workers poke, too. */
static void unpoke(struct vmring *ring)
{
    uint64_t value;

    if ((ring->poked || ring->nr_workers) &&
        read(ring->poke, &value, sizeof(value)) > 0)
        ring->poked = false;
}

/* A caller that takes this for "nothing now" finds the descriptor readable. */
static int tell_target(struct vmring *ring, struct vmring_event *event,
                       struct target target)
{
    groups_disarm(ring, &ring->own);
    wake_caller(ring);
    ring->shown = target;
    *event = (struct vmring_event){
        .target = target.state,
        .shutdown = target.reason,
    };
    return VMRING_NEXT_TARGET;
}

/* Nothing is visible and the doorbells are armed: is that the end of all? */
static int ended(struct vmring *ring, struct vmring_event *event)
{
    struct target target = target_now(ring);
    int ret = groups_ended(ring, &ring->own, ring->told.word, target);

    if (ret == -EAGAIN)
        return ret;
    /* The end is told when all is delivered, by workers, too. */
    if (ret && !workers_have_ended(ring))
        return 0;
    if (target_is_news(target, ring->shown))
        return tell_target(ring, event, target);
    return ret;
}

/*
 * Events that go on coming hide no change, but the end, which is told when
 * all of them are delivered.
 */
static bool target_changed(struct vmring *ring, struct target *target)
{
    if (!ring->own.long_enough)
        return false;
    ring->own.long_enough = false;
    *target = target_now(ring);
    return !target_is_end(*target) && target_is_news(*target, ring->shown);
}

/* Nothing that is read there is the producer's any more. */
static bool is_taken_away(const struct vmring *ring)
{
    return region_is_broken(&ring->p) || region_is_broken(&ring->c);
}

int vmring_next(struct vmring *ring, struct vmring_event *event)
{
    struct groups *own = &ring->own;
    struct target target;
    int ret;

    if (ring->lost == -EPROTO)
        return -EPROTO;
    if (vmr_load_relaxed(&ring->told.broken) || is_taken_away(ring))
        return told_lost(ring, -EPROTO);
    if (target_changed(ring, &target))
        return tell_target(ring, event, target);
    /* Their producer waits: events that go on coming hold no answer back. */
    vmring_flush(ring);
    /* Requests do not wait until all that is drained. */
    if (ring->nr_before &&
        (groups_next_request(ring, own, event) || drain_next(ring, event))) {
        groups_disarm(ring, own);
        return 1;
    }
    for (int tries = 0; tries < MAX_TRIES; tries++) {
        ret = groups_next(ring, own, event);
        if (ret > 0) {
            groups_disarm(ring, own);
            return ret;
        }
        if (ret == -EPROTO)
            return told_lost(ring, ret);
        if (ret == -EAGAIN)
            continue;
        unpoke(ring);
        count_up(&own->stats.doorbells_received,
                 ring->link->ops->ack(ring->link));
        poll_control(ring);
        if (ring->lost == -EPROTO)
            return ring->lost;
        if (!groups_arm(ring, own))
            continue;
        ret = ended(ring, event);
        if (ret != -EAGAIN)
            return ret;
    }
    wake_caller(ring);
    return 0;
}

int vmring_respond(struct vmring *ring, const struct vmring_event *event,
                   const struct xen_vm_ring_response *response)
{
    return groups_respond(ring, &ring->own, event, response);
}

void vmring_flush(struct vmring *ring)
{
    groups_flush(ring, &ring->own);
}
