/* SPDX-License-Identifier: MIT */
/* Description: a geometry beyond any limit is refused as it is laid out. */
#include "rig.h"

static const struct vmr_geometry good = {
    .features = XEN_VM_RING_FEATURES,
    .nr_vcpus = 4,
    .nr_lanes = 5,
    .nr_groups = 2,
    .policy = XEN_VM_RING_POLICY_DISCARD,
    .record_len = 64,
};

static void refused(struct vmr_geometry geo, uint64_t async_len)
{
    CHECK(!vmr_geometry_lay_out(&geo, async_len));
}

static void taken(struct vmr_geometry geo, uint64_t async_len, uint64_t slots)
{
    struct xen_vm_ring_header header, again;
    struct vmr_geometry seen;

    if (geo.nr_lanes == geo.nr_vcpus)
        geo.features &= ~(uint64_t)XEN_VM_RING_FEATURE_FOREIGN;
    CHECK(vmr_geometry_lay_out(&geo, async_len));
    CHECK_EQ(geo.slots, slots);
    CHECK(geo.slots * geo.nr_lanes * geo.record_len <= async_len);
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

static struct vmr_geometry with(size_t offset, uint32_t value)
{
    struct vmr_geometry geo = good;

    memcpy((char *)&geo + offset, &value, sizeof(value));
    return geo;
}
#define WITH(field, value) with(offsetof(struct vmr_geometry, field), value)

int main(void)
{
    struct vmr_geometry big;

    taken(good, 640, 2); /* the minimum: two records a lane */
    refused(good, 639);
    refused(good, 0);
    taken(good, 5 * 64 * 4 - 1, 2);
    taken(good, 5 * 64 * 4, 4);
    taken(good, XEN_VM_RING_MAX_ASYNC, 1 << 21);
    refused(good, XEN_VM_RING_MAX_ASYNC + 1ULL);
    refused(good, UINT64_MAX);
    CHECK_EQ(vmr_min_async_len(5, 64), 640);

    refused(WITH(nr_vcpus, 0), 65536);
    refused(WITH(nr_vcpus, 3), 65536); /* lanes are vCPUs or one more */
    refused(WITH(nr_vcpus, 6), 65536);
    refused(WITH(nr_groups, 0), 65536);
    refused(WITH(nr_groups, 5), 65536); /* more than vCPUs */
    taken(WITH(nr_groups, 4), 65536, 128);
    taken(WITH(nr_lanes, 4), 65536, 256);
    refused(WITH(policy, 2), 65536);
    refused(WITH(record_len, 0), 65536);
    refused(WITH(record_len, 32), 65536);
    refused(WITH(record_len, 65), 65536);
    refused(WITH(record_len, 96), 65536);
    refused(WITH(record_len, 576), 65536);
    taken(WITH(record_len, 512), 65536, 16);
    refused(WITH(verdicts, XEN_VM_RING_VERDICTS + 1), 65536);

    big = good;
    big.nr_vcpus = XEN_VM_RING_MAX_VCPUS;
    big.nr_lanes = XEN_VM_RING_MAX_VCPUS + 1;
    big.nr_groups = XEN_VM_RING_MAX_GROUPS;
    taken(big, 2 * 64 * 4097, 2);
    refused(big, 2 * 64 * 4097 - 1);
    big.nr_vcpus++;
    big.nr_lanes++;
    refused(big, 65536000);
    big = good;
    big.nr_vcpus = big.nr_lanes = 128;
    big.nr_groups = XEN_VM_RING_MAX_GROUPS + 1;
    refused(big, 65536000);
    return 0;
}
