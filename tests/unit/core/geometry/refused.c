/* SPDX-License-Identifier: MIT */
/*
 * Description: a header with one word that cannot be is refused, and one
 * whose areas end with their region is not.
 */
#include "rig.h"

static struct xen_vm_ring_header good;

/* Regions with room behind what is laid out: no area ends with them. */
static void begin(void)
{
    struct vmr_geometry geo = rig_geometry(1, 1, XEN_VM_RING_POLICY_DISCARD, 4);

    geo.nr_vcpus = 2;
    geo.features = XEN_VM_RING_FEATURE_REGISTERS;
    geo.p_len += 16ULL * XEN_VM_RING_PAGE;
    geo.c_len += 16ULL * XEN_VM_RING_PAGE;
    memset(&good, 0, sizeof(good));
    vmr_geometry_publish(&geo, &good);
}

static bool taken(const struct xen_vm_ring_header *header)
{
    struct vmr_geometry geo;

    return vmr_geometry_read(&geo, header, good.p_len, good.c_len);
}

/* With another value in one field. */
static bool with(size_t off, size_t size, uint64_t value)
{
    struct xen_vm_ring_header header = good;

    memcpy((char *)&header + off, &value, size);
    return taken(&header);
}

#define WITH(field, value)                                                     \
    with(offsetof(struct xen_vm_ring_header, field), sizeof(good.field), value)

/* An area of `size` bytes in `room` is held to both, and to its alignment. */
#define AREA(field, size, room, align)                                         \
    do {                                                                       \
        uint64_t end = (room) - (size);                                        \
                                                                               \
        CHECK(WITH(field, end));                                               \
        CHECK(!WITH(field, end + (align)));                                    \
        CHECK(!WITH(field, room));                                             \
        CHECK(!WITH(field, (room) + (align)));                                 \
        CHECK(!WITH(field, end - (align) / 2));                                \
        CHECK(!WITH(field, UINT64_MAX - (align) + 1));                         \
    } while (0)

/* A P that ends within its header is not read to the header's end. */
static void too_short(void)
{
    size_t len = sizeof(good) - 8;
    unsigned char *page = guarded(XEN_VM_RING_PAGE);
    struct xen_vm_ring_header *header = (void *)(page + XEN_VM_RING_PAGE - len);
    struct vmr_geometry geo;

    memcpy(header, &good, len);
    header->p_len = len;
    CHECK(!vmr_geometry_read(&geo, header, len, good.c_len));
}

/* Lengths agree with their mappings, and are no whole pages. */
static void no_page(void)
{
    struct xen_vm_ring_header header = good;
    struct vmr_geometry geo;

    header.p_len += XEN_VM_RING_PAGE / 2;
    CHECK(!vmr_geometry_read(&geo, &header, header.p_len, good.c_len));
    header = good;
    header.c_len += 8;
    CHECK(!vmr_geometry_read(&geo, &header, good.p_len, header.c_len));
    CHECK(!vmr_geometry_read(&geo, &header, good.p_len, VMR_ANY_LEN));
}

int main(void)
{
    uint64_t slot = XEN_VM_RING_SLOT, line = XEN_VM_RING_LINE;

    begin();
    CHECK(taken(&good));
    too_short();

    CHECK(!WITH(magic, good.magic + 1U));
    CHECK(!WITH(major, 0));
    CHECK(!WITH(major, 2));
    CHECK(!WITH(header_len, sizeof(good) - 8));
    CHECK(!WITH(header_len, 0));
    CHECK(WITH(header_len, XEN_VM_RING_PAGE));
    CHECK(!WITH(header_len, XEN_VM_RING_PAGE + 8));
    CHECK(!WITH(p_len, good.p_len + XEN_VM_RING_PAGE));
    CHECK(!WITH(p_len, good.p_len - XEN_VM_RING_PAGE));
    CHECK(!WITH(c_len, good.c_len + XEN_VM_RING_PAGE));
    CHECK(!WITH(c_len, good.c_len - XEN_VM_RING_PAGE));
    no_page();

    CHECK(!WITH(nr_vcpus, 0));
    CHECK(!WITH(nr_lanes, 1));
    CHECK(!WITH(nr_lanes, 4));
    /* The foreign lane, and the feature that tells of it: both, or neither. */
    CHECK(!WITH(nr_lanes, 3));
    CHECK(!WITH(features, XEN_VM_RING_FEATURES));
    CHECK(!WITH(features, UINT64_MAX));
    CHECK(WITH(features, UINT64_MAX - XEN_VM_RING_FEATURE_FOREIGN));
    CHECK(!WITH(nr_groups, 0));
    CHECK(!WITH(nr_groups, 3));
    CHECK(!WITH(policy, 2));
    CHECK(!WITH(record_len, 0));
    CHECK(!WITH(record_len, 32));
    CHECK(!WITH(record_len, 96));
    CHECK(!WITH(record_len, 576));

    CHECK(!WITH(slots_per_lane, 0));
    CHECK(!WITH(slots_per_lane, 1));
    CHECK(WITH(slots_per_lane, 2));
    CHECK(!WITH(slots_per_lane, 3));
    /* Records of 64 bytes: their sum is 0, modulo 2^64. */
    CHECK(!WITH(slots_per_lane, 1ULL << 58));
    CHECK(!WITH(slots_per_lane, 1ULL << 63));
    CHECK(!WITH(slot_len, slot - line));
    CHECK(!WITH(slot_len, 0));
    CHECK(!WITH(slot_len, slot + 64));
    CHECK(WITH(slot_len, XEN_VM_RING_PAGE));
    CHECK(!WITH(slot_len, XEN_VM_RING_PAGE + line));

    AREA(request_off, 2 * slot, good.p_len, line);
    AREA(p_group_off, line, good.p_len, line);
    AREA(lane_off, 2 * XEN_VM_RING_LANE, good.p_len, line);
    AREA(record_off, 2 * 4 * 64, good.p_len, 64);
    AREA(response_off, 2 * slot, good.c_len, line);
    AREA(cursor_off, 2 * line, good.c_len, line);
    AREA(c_group_off, good.c_group_len, good.c_len, line);
    AREA(attn_request_off, 8, good.c_group_len, 8);
    AREA(attn_lane_off, 8, good.c_group_len, 8);
    AREA(answered_off, 8, good.c_group_len, 8);
    /* The group's first line is armed's. */
    CHECK(!WITH(attn_request_off, line - 8));
    CHECK(!WITH(attn_lane_off, line - 8));
    CHECK(!WITH(answered_off, line - 8));
    CHECK(WITH(c_group_len, good.c_group_len + line));
    CHECK(!WITH(c_group_len, good.c_group_len + 64));
    CHECK(!WITH(c_group_len, 0));
    CHECK(!WITH(c_group_len, 0x80000000U));
    return 0;
}
