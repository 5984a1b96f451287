/* SPDX-License-Identifier: MIT */
/*
 * Description: what a geometry only carries along arrives as it was, each
 * field in its own place of the header.
 */
#include "rig.h"

int main(void)
{
    struct vmr_geometry geo = rig_geometry(3, 2, 1, 8), seen;
    struct xen_vm_ring_header header;

    geo.features = 0x1111222233334446; /* with its foreign lane */
    geo.epoch = 0x5555666677778888;
    geo.deadline = 0x99990000aaaabbbb;
    geo.verdicts = XEN_VM_RING_VERDICT_STEP;
    geo.arch = XEN_VM_RING_ARCH_ARM;
    geo.clock = XEN_VM_RING_CLOCK_SYSTEM;
    geo.minor = 7;
    geo.source = 0x12345678;
    geo.target_id = 0xccccddddeeeeffff;
    memset(&header, 0, sizeof(header));
    vmr_geometry_publish(&geo, &header);
    CHECK_EQ(header.magic, XEN_VM_RING_MAGIC);
    CHECK_EQ(header.major, XEN_VM_RING_VERSION_MAJOR);
    CHECK_EQ(header.minor, 7);
    CHECK_EQ(header.header_len, sizeof(header));
    CHECK_EQ(header.features, geo.features);
    CHECK_EQ(header.epoch, geo.epoch);
    CHECK_EQ(header.deadline, geo.deadline);
    CHECK_EQ(header.verdicts, geo.verdicts);
    CHECK_EQ(header.arch, geo.arch);
    CHECK_EQ(header.clock, geo.clock);
    CHECK_EQ(header.source, geo.source);
    CHECK_EQ(header.target_id, geo.target_id);

    CHECK(vmr_geometry_read(&seen, &header, geo.p_len, geo.c_len));
    CHECK_EQ(seen.features, geo.features);
    CHECK_EQ(seen.epoch, geo.epoch);
    CHECK_EQ(seen.deadline, geo.deadline);
    CHECK_EQ(seen.verdicts, geo.verdicts);
    CHECK_EQ(seen.arch, geo.arch);
    CHECK_EQ(seen.clock, geo.clock);
    CHECK_EQ(seen.minor, geo.minor);
    CHECK_EQ(seen.source, geo.source);
    CHECK_EQ(seen.target_id, geo.target_id);
    return 0;
}
