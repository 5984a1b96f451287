/* SPDX-License-Identifier: MIT */
/* consumer.c: vmring_next() and what answers an event. */
#include "consumer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Tries in one call while the producer overruns us, before we yield. */
#define MAX_TRIES 64

/* Events of one group before the others have their turn. */
#define MAX_TURN 32

/* No lost word of a frozen lane has been read: they have 32 bits. */
#define NOT_KNOWN UINT64_MAX

int consumer_lose(struct vmring *ring, int err)
{
    bool broken = err == -EPROTO;

    if (!ring->lost)
        log_line(&ring->log, 4, "%s",
                 broken ? "the producer broke the protocol"
                        : "the producer is gone");
    if (!ring->lost || broken)
        ring->lost = broken ? -EPROTO : -ECONNRESET;
    return ring->lost;
}

void consumer_message(struct vmring *ring, uint32_t type)
{
    if (type == WIRE_QUIET)
        ring->quiet = true;
    else
        (void)consumer_lose(ring, -EPROTO); /* nothing else comes unasked */
}

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
        (void)consumer_lose(ring, len);
    else
        consumer_message(ring, type);
}

/* Hands an event out: what we count of it, and what it is to the caller. */
static void count(struct vmring *ring, uint32_t where, uint16_t reason,
                  bool request)
{
    struct vmring_count *row;

    if (reason >= XEN_VM_RING_NR_REASONS)
        reason = XEN_VM_RING_REASON_UNKNOWN;
    row = &ring->counts[(size_t)where * XEN_VM_RING_NR_REASONS + reason];
    if (request)
        row->taken++;
    else
        row->pulled++;
}

static void hand_out_request(struct vmring *ring, uint32_t where,
                             struct vmring_event *event)
{
    event->lane = where;
    event->seq = event->rec.state;
    event->position = 0;
    event->epoch_mark = event->lost_before = 0;
    ring->stats.requests++;
    count(ring, where, event->rec.reason, true);
}

static void hand_out_record(struct vmring *ring, uint32_t where,
                            struct vmring_event *event)
{
    struct vmr_lane_rx *lane = &ring->core.lanes[where];
    uint32_t discarded = event->rec.lost - ring->lost_seen[where];

    event->lane = where;
    event->seq = 0;
    event->position = lane->tail - 1;
    event->epoch_mark = 0;
    event->lost_before = (uint32_t)lane->gap + discarded;
    lane->gap = 0;
    ring->lost_seen[where] = event->rec.lost;
    if (where < ring->core.geo.nr_vcpus)
        event->rec.vcpu = (uint16_t)where;
    ring->stats.records++;
    count(ring, where, event->rec.reason, false);
}

/*
 * The next lane of the frozen Ps.  false: there is none, all are drained.  A
 * P that makes no sense is passed over: it is a favour.
 */
static bool next_lane_before(struct vmring *ring)
{
    while (ring->before_at < ring->nr_before) {
        struct region *before = &ring->before[ring->before_at];

        /* Its consumer may have been granted features that we do not know. */
        if (ring->before_next == 0 &&
            (!vmr_geometry_read(&ring->before_geo, before->at, before->len,
                                VMR_ANY_LEN) ||
             (ring->before_geo.features & ~(uint64_t)XEN_VM_RING_FEATURES))) {
            ring->stats.rejected++;
            ring->before_geo.nr_lanes = 0;
        }
        if (ring->before_next < ring->before_geo.nr_lanes) {
            vmr_lane_rx_init(&ring->before_lane, &ring->before_geo,
                             ring->before_next++, before->at, NULL);
            vmr_lane_rx_resume(&ring->before_lane);
            /* No lane holds more, whatever its frozen head says. */
            ring->before_left = ring->before_geo.slots + 1;
            ring->before_lost = NOT_KNOWN;
            return true;
        }
        region_drop(before);
        ring->before_at++;
        ring->before_next = 0;
    }
    return false;
}

static void hand_out_drained(struct vmring *ring, struct vmring_event *event)
{
    struct vmr_lane_rx *lane = &ring->before_lane;
    uint32_t where = ring->before_next - 1, discarded = 0;

    /* What the consumer before was told of is not known here. */
    if (ring->before_lost != NOT_KNOWN)
        discarded = event->rec.lost - (uint32_t)ring->before_lost;
    ring->before_lost = event->rec.lost;
    event->rec.flags |= XEN_VM_RING_FLAG_REPOSTED;
    if (where < ring->before_geo.nr_vcpus)
        event->rec.vcpu = (uint16_t)where;
    event->lane = where;
    event->seq = 0;
    event->position = lane->tail - 1;
    event->epoch_mark = 1;
    event->lost_before = (uint32_t)lane->gap + discarded;
    lane->gap = 0;
    ring->stats.drained++;
}

/* What consumers before us had not read, lane by lane. */
static bool next_from_before(struct vmring *ring, struct vmring_event *event)
{
    while (ring->nr_before) {
        while (ring->before_left) {
            enum vmr_pull pull = vmr_lane_pull(&ring->before_lane, &event->rec);

            ring->before_left--;
            if (pull == VMR_PULL_EVENT) {
                hand_out_drained(ring, event);
                return true;
            }
            /*
             * Nobody overruns us in a frozen lane: a record that is not whole
             * is a lie, and not to be followed slot by slot.
             */
            if (pull != VMR_PULL_NONE)
                ring->stats.rejected++;
            ring->before_left = 0;
        }
        if (next_lane_before(ring))
            continue;
        /*
         * The caller has come back for more, so he is done with the last of
         * them: a successor of ours need not have them again.
         */
        ring->nr_before = ring->before_at = 0;
        (void)ring->link->ops->send(ring->link, WIRE_DRAINED, NULL, 0);
    }
    return false;
}

/* Requests do not wait until all that is drained. */
static bool next_request(struct vmring *ring, struct vmring_event *event)
{
    uint32_t where;

    for (uint32_t g = 0; g < ring->core.geo.nr_groups; g++) {
        if (vmr_consumer_take(&ring->core, g, &event->rec, &where) !=
            VMR_NEXT_REQUEST)
            continue;
        hand_out_request(ring, where, event);
        return true;
    }
    return false;
}

static void next_group(struct vmring *ring)
{
    ring->group = (ring->group + 1) % ring->core.geo.nr_groups;
    ring->turn = 0;
}

/* The group whose turn it is has had another event. */
static int took(struct vmring *ring)
{
    if (++ring->turn == MAX_TURN) {
        next_group(ring);
        ring->look_at_target = true;
    }
    return 1;
}

/* 1: an event; 0: nothing visible; -EAGAIN: overrun; -EPROTO. */
static int next_visible(struct vmring *ring, struct vmring_event *event)
{
    uint32_t nr_groups = ring->core.geo.nr_groups;
    bool again = false;
    uint32_t where;

    for (uint32_t i = 0; i < nr_groups; i++) {
        switch (
            vmr_consumer_next(&ring->core, ring->group, &event->rec, &where)) {
        case VMR_NEXT_REQUEST:
            hand_out_request(ring, where, event);
            return took(ring);
        case VMR_NEXT_RECORD:
            hand_out_record(ring, where, event);
            return took(ring);
        case VMR_NEXT_FAULT:
            return consumer_lose(ring, -EPROTO);
        case VMR_NEXT_AGAIN:
            again = true;
            break;
        case VMR_NEXT_NONE:
            break;
        }
        next_group(ring);
    }
    return again ? -EAGAIN : 0;
}

static void disarm(struct vmring *ring)
{
    if (!ring->armed)
        return;
    for (uint32_t g = 0; g < ring->core.geo.nr_groups; g++)
        vmr_consumer_disarm(&ring->core, g);
    ring->armed = false;
}

/* true: every group sleeps; false: something has come meanwhile. */
static bool arm(struct vmring *ring)
{
    ring->armed = true;
    for (uint32_t g = 0; g < ring->core.geo.nr_groups; g++) {
        if (!vmr_consumer_arm(&ring->core, g)) {
            disarm(ring);
            return false;
        }
    }
    return true;
}

/*
 * Overrun all the time, or more to look at than one call may: the caller is to
 * come again, and no doorbell will say so.
 */
static void poke(struct vmring *ring)
{
    uint64_t one = 1;

    if (!ring->poked && write(ring->poke, &one, sizeof(one)) == sizeof(one))
        ring->poked = true;
}

static void unpoke(struct vmring *ring)
{
    uint64_t value;

    if (ring->poked && read(ring->poke, &value, sizeof(value)) > 0)
        ring->poked = false;
}

/* What the header says of the target now: the producer can write anything. */
struct target {
    uint32_t state;  /* XEN_VM_RING_TARGET_* */
    uint32_t reason; /* 0 unless it has shut down or is destroyed */
};

static struct target look_at_target(const struct vmring *ring)
{
    unsigned int reason;
    uint32_t state = (uint32_t)vmring_target_state(ring, &reason);

    return (struct target){state, reason};
}

/* One that is suspended may go on: only its destruction ends it. */
static bool is_end(struct target target)
{
    return target.state == XEN_VM_RING_TARGET_DESTROYED ||
           (target.state == XEN_VM_RING_TARGET_SHUTDOWN &&
            target.reason != XEN_VM_RING_SHUTDOWN_SUSPEND);
}

static bool is_news(const struct vmring *ring, struct target target)
{
    return target.state != ring->told_state ||
           target.reason != ring->told_reason;
}

/* Whoever takes that for "nothing now" finds the descriptor readable. */
static int tell_target(struct vmring *ring, struct vmring_event *event,
                       struct target target)
{
    disarm(ring);
    poke(ring);
    ring->told_state = target.state;
    ring->told_reason = target.reason;
    *event = (struct vmring_event){
        .target = target.state,
        .shutdown = target.reason,
    };
    return VMRING_NEXT_TARGET;
}

/* Nothing is visible and the doorbells are armed: is that the end? */
static int ended(struct vmring *ring, struct vmring_event *event)
{
    struct target target = look_at_target(ring);
    bool gone = is_end(target);
    enum end end = ring->lost == -ECONNRESET ? END_PRODUCER
                   : gone                    ? END_TARGET
                                             : END_NONE;

    if (end > ring->rescanned) {
        /*
         * Its last events may have come after we had looked and before we
         * saw its end; and a producer that died, also after its target, may
         * have published what it set no attention bit for: look at everything
         * once.
         */
        vmr_consumer_rescan(&ring->core);
        ring->rescanned = end;
        disarm(ring);
        return -EAGAIN;
    }
    ring->rescanned = end; /* a target that goes on can end again */
    if (is_news(ring, target))
        return tell_target(ring, event, target);
    if (gone)
        return -ESRCH;
    if (ring->quiet)
        return -ENODATA;
    return ring->lost;
}

/*
 * Events that go on coming hide no change, but the end, which is told when
 * all of them are delivered.
 */
static bool target_changed(struct vmring *ring, struct target *target)
{
    if (!ring->look_at_target)
        return false;
    ring->look_at_target = false;
    *target = look_at_target(ring);
    return !is_end(*target) && is_news(ring, *target);
}

int vmring_next(struct vmring *ring, struct vmring_event *event)
{
    struct target target;
    int ret;

    if (ring->lost == -EPROTO)
        return -EPROTO;
    unpoke(ring);
    if (target_changed(ring, &target))
        return tell_target(ring, event, target);
    /* Their producer waits: events that go on coming hold no answer back. */
    vmring_flush(ring);
    if (ring->nr_before &&
        (next_request(ring, event) || next_from_before(ring, event))) {
        disarm(ring);
        return 1;
    }
    for (int tries = 0; tries < MAX_TRIES; tries++) {
        ret = next_visible(ring, event);
        if (ret > 0)
            disarm(ring);
        if (ret > 0 || ret == -EPROTO)
            return ret;
        if (ret == -EAGAIN)
            continue;
        ring->stats.doorbells_received += ring->link->ops->ack(ring->link);
        poll_control(ring);
        if (!arm(ring))
            continue;
        ret = ended(ring, event);
        if (ret != -EAGAIN)
            return ret;
    }
    poke(ring);
    return 0;
}

void vmring_neutral(const struct vmring_event *event,
                    struct xen_vm_ring_response *response)
{
    *response = (struct xen_vm_ring_response){
        .seq = event->seq,
        .reason = event->rec.reason,
        .altp2m_idx = event->rec.altp2m_idx,
    };
}

int vmring_respond(struct vmring *ring, const struct vmring_event *event,
                   const struct xen_vm_ring_response *response)
{
    const struct xen_vm_ring_event *rec = &event->rec;

    if (!(event->seq & 1) || rec->vcpu >= ring->core.geo.nr_vcpus ||
        response->reason != rec->reason || !vmr_response_is_whole(response))
        return -EINVAL;
    switch (vmr_response_check(rec->reason, response->flags,
                               ring->core.geo.verdicts)) {
    case -1:
        return -EINVAL;
    case -2:
        return -EPERM;
    }
    if (!vmr_consumer_answer(&ring->core, rec->vcpu, event->seq, response))
        return -ESTALE;
    ring->stats.responses++;
    return 0;
}

void vmring_flush(struct vmring *ring)
{
    for (uint32_t g = 0; g < ring->core.geo.nr_groups; g++) {
        if (vmr_consumer_flush(&ring->core, g)) {
            ring->link->ops->kick(ring->link, g);
            ring->stats.doorbells_sent++;
        }
    }
}

int vmring_target_state(const struct vmring *ring, unsigned int *reason)
{
    uint64_t why;
    uint64_t state = vmr_consumer_target(&ring->core, &why);

    if (reason)
        *reason = state < XEN_VM_RING_TARGET_SHUTDOWN ? 0 : (unsigned int)why;
    return state > XEN_VM_RING_TARGET_DESTROYED ? XEN_VM_RING_TARGET_DESTROYED
                                                : (int)state;
}

int vmring_lane_counts(struct vmring *ring, struct vmring_lane_count **counts)
{
    uint32_t nr = ring->core.geo.nr_lanes;
    struct vmring_lane_count *rows = calloc(nr, sizeof(*rows));

    if (!rows)
        return -ENOMEM;
    for (uint32_t i = 0; i < nr; i++) {
        const struct vmr_lane_rx *lane = &ring->core.lanes[i];
        uint64_t head, lost;

        vmr_consumer_lane(&ring->core, i, &head, &lost);
        rows[i].lane = i;
        rows[i].attempted = head + lost;
        rows[i].delivered = lane->taken;
        rows[i].lost = lost + lane->overwritten;
        rows[i].pending = head - lane->tail;
    }
    *counts = rows;
    return (int)nr;
}

int vmring_stats(const struct vmring *ring, struct vmring_stats *stats)
{
    struct vmring_stats now = ring->stats;

    for (uint32_t i = 0; i < ring->core.geo.nr_lanes; i++)
        now.overwritten += ring->core.lanes[i].overwritten;
    for (uint32_t g = 0; g < ring->core.geo.nr_groups; g++)
        now.rejected += ring->core.groups[g].rejected;
    return options_fill(stats, &now, sizeof(now));
}
