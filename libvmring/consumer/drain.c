/* SPDX-License-Identifier: MIT */
/* drain.c: what the consumers before this one had not read. */
#include "drain.h"

/* No lost word of a frozen lane has been read: they have 32 bits. */
#define NOT_KNOWN UINT64_MAX

/*
 * The next lane of the frozen Ps.  false: there is none, all are drained.  A
 * P that makes no sense is passed over: it is a favour.
 */
static bool next_lane_before(struct vmring *ring)
{
    while (ring->before_at < ring->nr_before) {
        struct region *before = &ring->before[ring->before_at];

        /* Its consumer may have negotiated features that we do not know. */
        if (ring->before_next == 0 &&
            (!vmr_geometry_read(&ring->before_geo, before->at, before->len,
                                VMR_ANY_LEN) ||
             (ring->before_geo.features & ~(uint64_t)XEN_VM_RING_FEATURES))) {
            count_up(&ring->own.stats.rejected, 1);
            ring->before_geo.nr_lanes = 0;
        }
        if (ring->before_next < ring->before_geo.nr_lanes) {
            vmr_lane_rx_init(&ring->before_lane, &ring->before_geo,
                             ring->before_next++, before->at, NULL);
            vmr_lane_rx_resume(&ring->before_lane);
            /* No lane holds more, whatever its frozen head says. */
            ring->before_left = ring->before_geo.nr_records + 1;
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
    count_up(&ring->own.stats.drained, 1);
}

bool drain_next(struct vmring *ring, struct vmring_event *event)
{
    while (ring->nr_before) {
        while (ring->before_left) {
            enum vmr_pull pull = vmr_lane_pull(&ring->before_lane, &event->rec);

            ring->before_left--;
            if (pull == VMR_PULL_EVENT) {
                hand_out_drained(ring, event);
                return true;
            }
            /* A record that was never ended: what is behind it is whole. */
            if (pull == VMR_PULL_AGAIN)
                continue;
            if (pull != VMR_PULL_NONE)
                count_up(&ring->own.stats.rejected, 1);
            ring->before_left = 0;
        }
        if (next_lane_before(ring))
            continue;
        /*
         * The caller asks for more, so it is done with the last record of the
         * frozen Ps: a successor of ours need not have them again.
         */
        ring->nr_before = ring->before_at = 0;
        (void)ring->link->ops->send(ring->link, VMRING_LOCAL_DRAINED, NULL, 0);
    }
    return false;
}
