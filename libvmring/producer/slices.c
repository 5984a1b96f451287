/* SPDX-License-Identifier: MIT */
#include "slices.h"

#include <sys/eventfd.h>

void slices_due(struct vmring_producer *producer, bool again)
{
    eventfd_t count;

    if (again && !producer->slices_are_due)
        (void)eventfd_write(producer->again, 1);
    if (!again && producer->slices_are_due)
        (void)eventfd_read(producer->again, &count);
    producer->slices_are_due = again;
}

void slices_drop(struct vmring_producer *producer, struct region *region)
{
    region_drop_slowly(region, &producer->going);
    if (producer->going.nr)
        slices_due(producer, true);
}

void slices_abandon(struct vmring_producer *producer)
{
    producer->making.peer = NULL;
    slices_drop(producer, &producer->making.epoch.p);
    slices_drop(producer, &producer->making.epoch.c);
}

void slices_close(struct vmring_producer *producer)
{
    (void)region_give_back(&producer->going, UINT64_MAX);
}
