/* SPDX-License-Identifier: MIT */
/*
 * geometry.h: where everything is in the two regions.
 *
 * Computed by the producer, published in the header, copied and checked by
 * the consumer; both then work with this private structure alone.
 */
#ifndef VMRING_CORE_GEOMETRY_H
#define VMRING_CORE_GEOMETRY_H

#include "platform.h"

struct vmr_geometry {
    uint64_t features, epoch, deadline;
    uint64_t p_len, c_len;
    uint64_t request_off, p_group_off, lane_off, record_off;
    uint64_t response_off, cursor_off, c_group_off;
    uint64_t nr_records; /* in a lane; a power of two */
    uint64_t target_id;
    uint32_t nr_vcpus, nr_lanes, nr_groups;
    uint32_t loss_policy, verdicts, arch, clock, source;
    uint32_t minor; /* of the version in use */
    uint32_t slot_len, record_len;
    uint32_t c_group_len, attn_request_off, attn_lane_off, answered_off;
};

/* vCPU or lane v belongs to group v mod n, as bit v / n. */
static inline uint32_t vmr_group_of(const struct vmr_geometry *geo, uint32_t v)
{
    return v % geo->nr_groups;
}

static inline uint32_t vmr_bit_of(const struct vmr_geometry *geo, uint32_t v)
{
    return v / geo->nr_groups;
}

/* 64-bit words of a bitmap that has a bit for each of a group's `nr`. */
static inline uint32_t vmr_bitmap_words(const struct vmr_geometry *geo,
                                        uint32_t nr)
{
    uint32_t per_group = (nr + geo->nr_groups - 1) / geo->nr_groups;

    return (per_group + 63) / 64;
}

/* The fewest bytes of records for this many lanes. */
uint64_t vmr_min_async_len(uint32_t nr_lanes, uint32_t record_len);

/*
 * Lays the regions out.  In: nr_vcpus, nr_lanes, nr_groups, record_len and
 * what is only carried along; `async_len` bytes of records at most.  Out: the
 * rest.  false: a parameter is beyond its limits, or fewer than
 * XEN_VM_RING_MIN_SLOTS records a lane.
 */
bool vmr_geometry_lay_out(struct vmr_geometry *geo, uint64_t async_len);

/* Writes the header of a P that is zero yet. */
void vmr_geometry_publish(const struct vmr_geometry *geo,
                          struct xen_vm_ring_header *header);

/*
 * Reads the header of a P of `p_len` bytes that a C of `c_len` goes with,
 * each word once.  false: not a version 1 ring, or something would lie
 * outside the regions or exceed a limit.
 */
bool vmr_geometry_read(struct vmr_geometry *geo,
                       const struct xen_vm_ring_header *header, uint64_t p_len,
                       uint64_t c_len);

/* As c_len: there is no C, P is a frozen one. */
#define VMR_ANY_LEN UINT64_MAX

#endif /* VMRING_CORE_GEOMETRY_H */
