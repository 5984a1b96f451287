/* SPDX-License-Identifier: MIT */
/* groups.c: what one thread does with its groups. */
#include "groups.h"

#include <errno.h>

#include "target.h"

/* Events of one group before the others have their turn. */
#define MAX_TURN 32

static uint32_t lowest(uint64_t mask)
{
    return (uint32_t)__builtin_ctzll(mask);
}

static void next_group(struct groups *groups)
{
    uint64_t later = groups->mask & ~((2ULL << groups->group) - 1);

    if (groups->mask)
        groups->group = lowest(later ? later : groups->mask);
    groups->turn = 0;
}

void groups_set(struct vmring *ring, struct groups *groups, uint64_t mask)
{
    groups_disarm(ring, groups);
    groups->mask = mask;
    groups->nr = (uint32_t)__builtin_popcountll(mask);
    if (!(mask >> groups->group & 1))
        next_group(groups);
}

/* What we count of an event that is handed out. */
static struct handed *handed(struct vmring *ring, uint32_t where,
                             uint16_t reason, bool request)
{
    struct handed *of = &ring->handed[where];

    if (reason >= XEN_VM_RING_NR_REASONS)
        reason = XEN_VM_RING_REASON_UNKNOWN;
    count_up(request ? &of->of[reason].requests : &of->of[reason].records, 1);
    return of;
}

static void hand_out_request(struct vmring *ring, struct groups *groups,
                             uint32_t where, struct vmring_event *event)
{
    event->lane = where;
    event->seq = event->rec.state;
    event->position = 0;
    event->epoch_mark = event->lost_before = 0;
    count_up(&groups->stats.requests, 1);
    (void)handed(ring, where, event->rec.reason, true);
}

static void hand_out_record(struct vmring *ring, struct groups *groups,
                            uint32_t where, struct vmring_event *event)
{
    struct vmr_lane_rx *lane = &ring->core.lanes[where];
    struct handed *of = handed(ring, where, event->rec.reason, false);
    uint32_t discarded = event->rec.lost - of->lost;

    event->lane = where;
    event->seq = 0;
    event->position = lane->tail - 1;
    event->epoch_mark = 0;
    event->lost_before = (uint32_t)lane->gap + discarded;
    lane->gap = 0;
    of->lost = event->rec.lost;
    if (where < ring->core.geo.nr_vcpus)
        event->rec.vcpu = (uint16_t)where;
    count_up(&groups->stats.records, 1);
}

bool groups_next_request(struct vmring *ring, struct groups *groups,
                         struct vmring_event *event)
{
    uint32_t where;

    for (uint32_t i = 0; i < groups->nr; i++) {
        if (vmr_consumer_take(&ring->core, groups->group, &event->rec,
                              &where) == VMR_NEXT_REQUEST) {
            hand_out_request(ring, groups, where, event);
            return true;
        }
        next_group(groups);
    }
    return false;
}

/* The group whose turn it is has had another event. */
static int took(struct groups *groups)
{
    if (++groups->turn == MAX_TURN) {
        next_group(groups);
        groups->long_enough = true;
    }
    return 1;
}

int groups_next(struct vmring *ring, struct groups *groups,
                struct vmring_event *event)
{
    bool again = false;
    uint32_t where;

    for (uint32_t i = 0; i < groups->nr; i++) {
        switch (vmr_consumer_next(&ring->core, groups->group, &event->rec,
                                  &where)) {
        case VMR_NEXT_REQUEST:
            hand_out_request(ring, groups, where, event);
            return took(groups);
        case VMR_NEXT_RECORD:
            hand_out_record(ring, groups, where, event);
            return took(groups);
        case VMR_NEXT_BROKEN:
            count_up(&groups->stats.rejected, 1);
            return -EPROTO;
        case VMR_NEXT_AGAIN:
            again = true;
            break;
        case VMR_NEXT_NONE:
            break;
        }
        next_group(groups);
    }
    return again ? -EAGAIN : 0;
}

void groups_disarm(struct vmring *ring, struct groups *groups)
{
    if (!groups->armed)
        return;
    for (uint64_t left = groups->mask; left; left &= left - 1)
        vmr_consumer_disarm(&ring->core, lowest(left));
    groups->armed = false;
}

bool groups_arm(struct vmring *ring, struct groups *groups)
{
    groups->armed = true;
    for (uint64_t left = groups->mask; left; left &= left - 1) {
        if (!vmr_consumer_arm(&ring->core, lowest(left))) {
            groups_disarm(ring, groups);
            return false;
        }
    }
    return true;
}

int groups_ended(struct vmring *ring, struct groups *groups, uint64_t told,
                 struct target target)
{
    bool gone = target_is_end(target);
    enum end end;

    /*
     * A producer that hung up on a slow consumer has gone on writing P, without
     * setting bits.
     */
    if ((told & (TOLD_QUIET | TOLD_GONE)) == TOLD_QUIET &&
        ring->link->ops->hung_up(ring->link))
        told |= TOLD_GONE;
    end = told & TOLD_GONE ? END_PRODUCER : gone ? END_TARGET : END_NONE;

    if (end > groups->rescanned) {
        /*
         * Its last events may have come after we had looked and before we
         * saw its end; and a producer that died, also after its target, may
         * have published what it set no attention bit for: look at everything
         * once.
         */
        for (uint64_t left = groups->mask; left; left &= left - 1)
            vmr_consumer_rescan(&ring->core, lowest(left));
        groups->rescanned = end;
        groups_disarm(ring, groups);
        return -EAGAIN;
    }
    groups->rescanned = end; /* a target that goes on can end again */
    if (gone)
        return -ESRCH;
    if (told & TOLD_QUIET)
        return -ENODATA;
    return told & TOLD_GONE ? -ECONNRESET : 0;
}

void groups_flush(struct vmring *ring, struct groups *groups)
{
    for (uint64_t left = groups->mask; left; left &= left - 1) {
        uint32_t g = lowest(left);

        if (vmr_consumer_flush(&ring->core, g)) {
            ring->link->ops->kick(ring->link, g);
            count_up(&groups->stats.doorbells_sent, 1);
        }
    }
}
