/* SPDX-License-Identifier: MIT */
/* lane_record.h: what both ends of a lane know of a record's place. */
#ifndef VMRING_CORE_LANE_RECORD_H
#define VMRING_CORE_LANE_RECORD_H

#include "lane.h"

/* The state of the record at position h, while it is written and once whole. */
#define BUSY(h) (2 * (h) + 1)
#define DONE(h) (2 * (h) + 2)

#define HEAD_LEN XEN_VM_RING_EVENT_HEAD

/*
 * Each end asks for the cache lines of a later record, so many bytes ahead: the
 * other end had them last, and an access that waits for its line holds up all
 * behind it.
 */
#define ASK_AHEAD 1024

static inline uint32_t vmr_ask_ahead(const struct vmr_geometry *geo)
{
    return (ASK_AHEAD + geo->record_len - 1) / geo->record_len;
}

#endif /* VMRING_CORE_LANE_RECORD_H */
