/* SPDX-License-Identifier: MIT */
#include "geometry.h"

#include "atomic.h"

#define LINE XEN_VM_RING_LINE
#define PAGE XEN_VM_RING_PAGE

/* `to` is a power of two: no 64-bit division, which i386 has not. */
static uint64_t round_up(uint64_t v, uint64_t to)
{
    return (v + to - 1) & ~(to - 1);
}

uint64_t vmr_min_async_len(uint32_t nr_lanes, uint32_t record_len)
{
    return (uint64_t)nr_lanes * XEN_VM_RING_MIN_SLOTS * record_len;
}

static bool within_limits(const struct vmr_geometry *geo)
{
    return geo->nr_vcpus && geo->nr_vcpus <= XEN_VM_RING_MAX_VCPUS &&
           geo->nr_lanes >= geo->nr_vcpus &&
           geo->nr_lanes <= geo->nr_vcpus + 1 && geo->nr_groups &&
           geo->nr_groups <= XEN_VM_RING_MAX_GROUPS &&
           geo->nr_groups <= geo->nr_vcpus &&
           geo->loss_policy <= XEN_VM_RING_POLICY_OVERWRITE &&
           geo->record_len >= XEN_VM_RING_MIN_RECORD &&
           geo->record_len <= XEN_VM_RING_MAX_RECORD &&
           geo->record_len % 64 == 0;
}

/* The last lane is the foreign one exactly if the feature says so. */
static bool has_its_lanes(const struct vmr_geometry *geo)
{
    return geo->nr_lanes - geo->nr_vcpus ==
           ((geo->features & XEN_VM_RING_FEATURE_FOREIGN) ? 1 : 0);
}

/*
 * A later minor may make slots longer, not shorter: the distance from one to
 * the next is all that we take from it (docs/ABI.md, V2).
 */
static bool holds_slots(const struct vmr_geometry *geo)
{
    return geo->slot_len >= XEN_VM_RING_SLOT &&
           geo->slot_len <= XEN_VM_RING_PAGE && geo->slot_len % LINE == 0;
}

/* The largest power of two that is not above v, which is not 0. */
static uint32_t power_of_two(uint32_t v)
{
    uint32_t p = 1;

    while (p <= v / 2)
        p *= 2;
    return p;
}

bool vmr_geometry_lay_out(struct vmr_geometry *geo, uint64_t async_len)
{
    uint64_t off, bitmap;

    if (!within_limits(geo) || (geo->verdicts & ~XEN_VM_RING_VERDICTS) ||
        async_len > XEN_VM_RING_MAX_ASYNC ||
        async_len < vmr_min_async_len(geo->nr_lanes, geo->record_len))
        return false;

    geo->slot_len = XEN_VM_RING_SLOT;
    geo->nr_records =
        power_of_two((uint32_t)async_len / geo->nr_lanes / geo->record_len);

    off = PAGE; /* the header has a page of its own */
    geo->request_off = off;
    off += (uint64_t)geo->nr_vcpus * geo->slot_len;
    geo->p_group_off = off;
    off += (uint64_t)geo->nr_groups * LINE;
    geo->lane_off = off;
    off += (uint64_t)geo->nr_lanes * XEN_VM_RING_LANE;
    geo->record_off = off = round_up(off, PAGE);
    off += geo->nr_lanes * geo->nr_records * geo->record_len;
    geo->p_len = round_up(off, PAGE);

    geo->response_off = off = 0;
    off += (uint64_t)geo->nr_vcpus * geo->slot_len;
    geo->cursor_off = off;
    off += (uint64_t)geo->nr_lanes * LINE;
    geo->c_group_off = off;
    bitmap = round_up(vmr_bitmap_words(geo, geo->nr_lanes) * 8ULL, LINE);
    geo->attn_request_off = LINE;
    geo->attn_lane_off = LINE + (uint32_t)bitmap;
    geo->answered_off = LINE + 2 * (uint32_t)bitmap;
    geo->c_group_len = LINE + 3 * (uint32_t)bitmap;
    off += (uint64_t)geo->nr_groups * geo->c_group_len;
    geo->c_len = round_up(off, PAGE);
    return true;
}

void vmr_geometry_publish(const struct vmr_geometry *geo,
                          struct xen_vm_ring_header *header)
{
    struct xen_vm_ring_header h = {
        .magic = XEN_VM_RING_MAGIC,
        .major = XEN_VM_RING_VERSION_MAJOR,
        .minor = (uint16_t)geo->minor,
        .header_len = sizeof(h),
        .arch = geo->arch,
        .features = geo->features,
        .epoch = geo->epoch,
        .p_len = geo->p_len,
        .c_len = geo->c_len,
        .deadline = geo->deadline,
        .nr_vcpus = geo->nr_vcpus,
        .nr_lanes = geo->nr_lanes,
        .nr_groups = geo->nr_groups,
        .policy = geo->loss_policy,
        .verdicts = geo->verdicts,
        .clock = geo->clock,
        .slot_len = geo->slot_len,
        .record_len = geo->record_len,
        .slots_per_lane = geo->nr_records,
        .request_off = geo->request_off,
        .p_group_off = geo->p_group_off,
        .lane_off = geo->lane_off,
        .record_off = geo->record_off,
        .response_off = geo->response_off,
        .cursor_off = geo->cursor_off,
        .c_group_off = geo->c_group_off,
        .c_group_len = geo->c_group_len,
        .attn_request_off = geo->attn_request_off,
        .attn_lane_off = geo->attn_lane_off,
        .answered_off = geo->answered_off,
        .target_id = geo->target_id,
        .source = geo->source,
    };

    vmr_copy_to_shared(header, &h, sizeof(h));
}

/* Does nr * stride bytes at off lie within len, aligned to a power of two? */
static bool lies_within(uint64_t off, uint64_t nr, uint64_t stride,
                        uint64_t len, uint64_t align)
{
    return (off & (align - 1)) == 0 && off <= len && nr * stride <= len - off;
}

static bool p_lies_within(const struct vmr_geometry *geo)
{
    /* Counts and strides are bounded by now: no product can overflow. */
    return lies_within(geo->request_off, geo->nr_vcpus, geo->slot_len,
                       geo->p_len, LINE) &&
           lies_within(geo->p_group_off, geo->nr_groups, LINE, geo->p_len,
                       LINE) &&
           lies_within(geo->lane_off, geo->nr_lanes, XEN_VM_RING_LANE,
                       geo->p_len, LINE) &&
           lies_within(geo->record_off, geo->nr_lanes * geo->nr_records,
                       geo->record_len, geo->p_len, 64);
}

static bool c_lies_within(const struct vmr_geometry *geo)
{
    uint64_t words = vmr_bitmap_words(geo, geo->nr_lanes);

    return lies_within(geo->response_off, geo->nr_vcpus, geo->slot_len,
                       geo->c_len, LINE) &&
           lies_within(geo->cursor_off, geo->nr_lanes, LINE, geo->c_len,
                       LINE) &&
           lies_within(geo->c_group_off, geo->nr_groups, geo->c_group_len,
                       geo->c_len, LINE) &&
           geo->c_group_len % LINE == 0 &&
           /* The first line is armed's: to arm would set a bit for ever. */
           geo->attn_request_off >= LINE && geo->attn_lane_off >= LINE &&
           geo->answered_off >= LINE &&
           lies_within(geo->attn_request_off, words, 8, geo->c_group_len, 8) &&
           lies_within(geo->attn_lane_off, words, 8, geo->c_group_len, 8) &&
           lies_within(geo->answered_off, words, 8, geo->c_group_len, 8);
}

bool vmr_geometry_read(struct vmr_geometry *geo,
                       const struct xen_vm_ring_header *header, uint64_t p_len,
                       uint64_t c_len)
{
    struct xen_vm_ring_header h;

    if (p_len < sizeof(h))
        return false;
    vmr_copy_from_shared(&h, header, sizeof(h));
    if (h.magic != XEN_VM_RING_MAGIC || h.major != XEN_VM_RING_VERSION_MAJOR ||
        h.header_len < sizeof(h) || h.header_len > XEN_VM_RING_PAGE ||
        h.p_len != p_len || (c_len != VMR_ANY_LEN && h.c_len != c_len) ||
        h.p_len % PAGE || h.c_len % PAGE)
        return false;

    *geo = (struct vmr_geometry){
        .features = h.features,
        .epoch = h.epoch,
        .deadline = h.deadline,
        .p_len = h.p_len,
        .c_len = h.c_len,
        .request_off = h.request_off,
        .p_group_off = h.p_group_off,
        .lane_off = h.lane_off,
        .record_off = h.record_off,
        .response_off = h.response_off,
        .cursor_off = h.cursor_off,
        .c_group_off = h.c_group_off,
        .nr_records = h.slots_per_lane,
        .target_id = h.target_id,
        .nr_vcpus = h.nr_vcpus,
        .nr_lanes = h.nr_lanes,
        .nr_groups = h.nr_groups,
        .loss_policy = h.policy,
        .verdicts = h.verdicts,
        .arch = h.arch,
        .clock = h.clock,
        .source = h.source,
        .minor = h.minor,
        .slot_len = h.slot_len,
        .record_len = h.record_len,
        .c_group_len = h.c_group_len,
        .attn_request_off = h.attn_request_off,
        .attn_lane_off = h.attn_lane_off,
        .answered_off = h.answered_off,
    };
    return within_limits(geo) && has_its_lanes(geo) &&
           geo->nr_records >= XEN_VM_RING_MIN_SLOTS &&
           geo->nr_records <= XEN_VM_RING_MAX_ASYNC &&
           (geo->nr_records & (geo->nr_records - 1)) == 0 && holds_slots(geo) &&
           p_lies_within(geo) && c_lies_within(geo);
}
