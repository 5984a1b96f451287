/* SPDX-License-Identifier: MIT */
/* Description: no two areas of a ring that is laid out have a byte in common.
 */
#include "rig.h"

struct area {
    uint64_t off, len;
};

static void apart(const struct area *areas, size_t nr, uint64_t len)
{
    for (size_t i = 0; i < nr; i++) {
        CHECK(areas[i].len > 0 && areas[i].off + areas[i].len <= len);
        for (size_t j = 0; j < i; j++)
            CHECK(areas[i].off + areas[i].len <= areas[j].off ||
                  areas[j].off + areas[j].len <= areas[i].off);
    }
}

static void all_apart(uint32_t nr_vcpus, uint32_t nr_groups, uint32_t slots)
{
    struct vmr_geometry geo = rig_geometry(nr_vcpus, nr_groups, 0, slots);
    uint64_t slot = XEN_VM_RING_SLOT, line = XEN_VM_RING_LINE;
    uint64_t bits = 8 * ((nr_vcpus / nr_groups + 1 + 63) / 64);
    struct area p[] = {
        {0, sizeof(struct xen_vm_ring_header)},
        {geo.request_off, nr_vcpus * slot},
        {geo.p_group_off, nr_groups * line},
        {geo.lane_off, geo.nr_lanes * (uint64_t)XEN_VM_RING_LANE},
        {geo.record_off, geo.nr_lanes * geo.nr_records * geo.record_len},
    };
    struct area c[] = {
        {geo.response_off, nr_vcpus * slot},
        {geo.cursor_off, geo.nr_lanes * line},
        {geo.c_group_off, (uint64_t)nr_groups * geo.c_group_len},
    };
    struct area group[] = {
        {0, line},
        {geo.attn_request_off, bits},
        {geo.attn_lane_off, bits},
        {geo.answered_off, bits},
    };

    apart(p, sizeof(p) / sizeof(p[0]), geo.p_len);
    apart(c, sizeof(c) / sizeof(c[0]), geo.c_len);
    apart(group, sizeof(group) / sizeof(group[0]), geo.c_group_len);
}

int main(void)
{
    all_apart(1, 1, 2);
    all_apart(4, 2, 8);
    all_apart(31, 1, 2);
    all_apart(64, 64, 2);
    all_apart(127, 1, 4);
    all_apart(1023, 1, 2);
    all_apart(4096, 1, 2);
    all_apart(4096, 64, 256);
    return 0;
}
