/* SPDX-License-Identifier: MIT */
/*
 * counts.c: what a consumer has counted, summed up over its threads.
 *
 * Each number has one writer, which may be at it: what is read here is whole
 * and never goes back, and exact as soon as nobody takes events any more.
 */
#include <errno.h>
#include <stdlib.h>

#include "../base/options.h"
#include "counts.h"

static uint64_t records_from(const struct handed *handed)
{
    uint64_t sum = 0;

    for (unsigned int r = 0; r < XEN_VM_RING_NR_REASONS; r++)
        sum += vmr_load_relaxed(&handed->of[r].records);
    return sum;
}

int vmring_lane_counts(struct vmring *ring, struct vmring_lane_count **counts)
{
    uint32_t nr = ring->core.geo.nr_lanes;
    struct vmring_lane_count *rows = calloc(nr, sizeof(*rows));

    if (!rows)
        return -ENOMEM;
    for (uint32_t i = 0; i < nr; i++) {
        const struct handed *handed = &ring->handed[i];
        uint64_t overwritten =
            vmr_load_relaxed(&ring->core.lanes[i].overwritten);
        uint64_t head, lost, pending;

        vmr_consumer_lane(&ring->core, i, &head, &lost);
        rows[i].lane = i;
        rows[i].attempted = head + lost;
        rows[i].taken = records_from(handed);
        rows[i].lost = lost + overwritten;
        /* Below 0: taken after head was looked at. */
        pending = head - rows[i].taken - overwritten;
        rows[i].pending = pending >> 63 ? 0 : pending;
    }
    *counts = rows;
    return (int)nr;
}

void counts_add(struct vmring_stats *to, const struct vmring_stats *from)
{
    count_up(&to->requests, vmr_load_relaxed(&from->requests));
    count_up(&to->records, vmr_load_relaxed(&from->records));
    count_up(&to->responses, vmr_load_relaxed(&from->responses));
    count_up(&to->drained, vmr_load_relaxed(&from->drained));
    count_up(&to->doorbells_sent, vmr_load_relaxed(&from->doorbells_sent));
    count_up(&to->doorbells_received,
             vmr_load_relaxed(&from->doorbells_received));
    count_up(&to->rejected, vmr_load_relaxed(&from->rejected));
}

int vmring_get_stats(const struct vmring *ring, struct vmring_stats *stats)
{
    struct vmring_stats now = {.size = sizeof(now)};

    counts_add(&now, &ring->own.stats);
    for (uint32_t g = 0; g < ring->core.geo.nr_groups; g++)
        if (ring->workers[g])
            counts_add(&now, &ring->workers[g]->groups.stats);
    for (uint32_t i = 0; i < ring->core.geo.nr_lanes; i++)
        now.overwritten += vmr_load_relaxed(&ring->core.lanes[i].overwritten);
    return options_fill(stats, &now, sizeof(now));
}
