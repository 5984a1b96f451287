/* SPDX-License-Identifier: MIT */
/* Description: a geometry beyond any limit is refused as it is laid out. */
#include "rig.h"

static const struct vmr_geometry good = {
    .features = XEN_VM_RING_FEATURES,
    .nr_vcpus = 4,
    .nr_lanes = 5,
    .nr_groups = 2,
    .loss_policy = XEN_VM_RING_POLICY_DISCARD,
    .record_len = 64,
};

static void taken(struct vmr_geometry geo, uint64_t async_len, uint64_t slots)
{
    struct xen_vm_ring_header header, again;
    struct vmr_geometry seen;

    if (geo.nr_lanes == geo.nr_vcpus)
        geo.features &= ~(uint64_t)XEN_VM_RING_FEATURE_FOREIGN;
    CHECK(vmr_geometry_lay_out(&geo, async_len));
    CHECK_EQ(geo.nr_records, slots);
    CHECK(geo.nr_records * geo.nr_lanes * geo.record_len <= async_len);
    memset(&header, 0, sizeof(header));
    vmr_geometry_publish(&geo, &header);
    CHECK(vmr_geometry_read(&seen, &header, geo.p_len, geo.c_len));
    memset(&again, 0, sizeof(again));
    vmr_geometry_publish(&seen, &again);
    CHECK(!memcmp(&again, &header, sizeof(header)));
    CHECK(vmr_geometry_read(&seen, &header, geo.p_len, VMR_ANY_LEN));
    CHECK(!vmr_geometry_read(&seen, &header, geo.p_len + 4096, geo.c_len));
    CHECK(!vmr_geometry_read(&seen, &header, geo.p_len, geo.c_len + 4096));
    CHECK(!vmr_geometry_read(&seen, &header, 511, geo.c_len));
}

#define MAX_VCPUS  XEN_VM_RING_MAX_VCPUS
#define MAX_GROUPS XEN_VM_RING_MAX_GROUPS
#define MAX_ASYNC  XEN_VM_RING_MAX_ASYNC
#define OFF(field) offsetof(struct vmr_geometry, field)

/* One field of `good` changed, and so much memory: slots, or 0: refused. */
static const struct {
    const char *row;
    size_t off;
    uint32_t value;
    uint64_t async_len, slots;
} one[] = {
    {"the minimum: two records a lane", OFF(nr_vcpus), 4, 640, 2},
    {"less than the minimum", OFF(nr_vcpus), 4, 639, 0},
    {"no memory", OFF(nr_vcpus), 4, 0, 0},
    {"almost four slots", OFF(nr_vcpus), 4, 5 * 64 * 4 - 1, 2},
    {"four slots", OFF(nr_vcpus), 4, 5 * 64 * 4, 4},
    {"the maximum", OFF(nr_vcpus), 4, MAX_ASYNC, 1 << 21},
    {"beyond the maximum", OFF(nr_vcpus), 4, MAX_ASYNC + 1ULL, 0},
    {"all memory", OFF(nr_vcpus), 4, UINT64_MAX, 0},
    {"no vCPU", OFF(nr_vcpus), 0, 65536, 0},
    {"two lanes more than vCPUs", OFF(nr_vcpus), 3, 65536, 0},
    {"more vCPUs than lanes", OFF(nr_vcpus), 6, 65536, 0},
    {"no group", OFF(nr_groups), 0, 65536, 0},
    {"more groups than vCPUs", OFF(nr_groups), 5, 65536, 0},
    {"a group for each vCPU", OFF(nr_groups), 4, 65536, 128},
    {"no foreign lane", OFF(nr_lanes), 4, 65536, 256},
    {"an unknown policy", OFF(loss_policy), 2, 65536, 0},
    {"records of 0", OFF(record_len), 0, 65536, 0},
    {"records of 32", OFF(record_len), 32, 65536, 0},
    {"records of 65", OFF(record_len), 65, 65536, 0},
    {"records of 96", OFF(record_len), 96, 65536, 0},
    {"records of 576", OFF(record_len), 576, 65536, 0},
    {"records of 512", OFF(record_len), 512, 65536, 16},
    {"an unknown verdict", OFF(verdicts), XEN_VM_RING_VERDICTS + 1, 65536, 0},
};

/* Sizes of guests. */
static const struct {
    const char *row;
    uint32_t nr_vcpus, nr_lanes, nr_groups;
    uint64_t async_len, slots;
} sizes[] = {
    {"the largest guest", MAX_VCPUS, MAX_VCPUS + 1, MAX_GROUPS, 2 * 64 * 4097,
     2},
    {"less than its minimum", MAX_VCPUS, MAX_VCPUS + 1, MAX_GROUPS,
     2 * 64 * 4097 - 1, 0},
    {"too many vCPUs", MAX_VCPUS + 1, MAX_VCPUS + 2, MAX_GROUPS, 65536000, 0},
    {"too many groups", 128, 128, MAX_GROUPS + 1, 65536000, 0},
};

static void tried(const char *row, struct vmr_geometry geo, uint64_t async_len,
                  uint64_t slots)
{
    CHECK_ROW(row);
    if (slots)
        taken(geo, async_len, slots);
    else
        CHECK(!vmr_geometry_lay_out(&geo, async_len));
}

int main(void)
{
    CHECK_EQ(vmr_min_async_len(5, 64), 640);
    for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++) {
        struct vmr_geometry geo = good;

        memcpy((char *)&geo + one[i].off, &one[i].value, sizeof(uint32_t));
        tried(one[i].row, geo, one[i].async_len, one[i].slots);
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct vmr_geometry geo = good;

        geo.nr_vcpus = sizes[i].nr_vcpus;
        geo.nr_lanes = sizes[i].nr_lanes;
        geo.nr_groups = sizes[i].nr_groups;
        tried(sizes[i].row, geo, sizes[i].async_len, sizes[i].slots);
    }
    return 0;
}
