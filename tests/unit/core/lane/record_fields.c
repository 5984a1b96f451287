/* SPDX-License-Identifier: MIT */
/*
 * Description: each field of an event arrives in its own place, by a lane and
 * by a slot, with the bits that it had.
 */
#include "rig.h"

static struct rig rig;

static struct xen_vm_ring_event event_with(uint64_t pattern)
{
    struct xen_vm_ring_event event = {
        .time = 0x0102030405060708 ^ pattern,
        .flags = (uint32_t)(0x11121314 ^ pattern),
        .reason = XEN_VM_RING_REASON_CPUID,
        .vcpu = (uint16_t)(0x2122 ^ pattern),
        .altp2m_idx = (uint16_t)(0x3132 ^ pattern),
        .length = XEN_VM_RING_EVENT_FULL,
    };

    for (size_t i = 0; i < 4; i++)
        event.u.words[i] = (0x4142434445464748 + i) ^ pattern;
    for (size_t i = 0; i < XEN_VM_RING_REGS_LEN / 8; i++)
        event.regs.words[i] = (0x5152535455565758 + i) ^ pattern;
    return event;
}

static void same(const struct xen_vm_ring_event *got,
                 const struct xen_vm_ring_event *sent)
{
    CHECK_EQ(got->time, sent->time);
    CHECK_EQ(got->flags, sent->flags);
    CHECK_EQ(got->reason, sent->reason);
    CHECK_EQ(got->vcpu, sent->vcpu);
    CHECK_EQ(got->altp2m_idx, sent->altp2m_idx);
    CHECK_EQ(got->length, sent->length);
    CHECK(!memcmp(&got->u, &sent->u, sizeof(got->u)));
    CHECK(!memcmp(&got->regs, &sent->regs, sizeof(got->regs)));
}

static void through(uint64_t pattern)
{
    struct xen_vm_ring_event sent = event_with(pattern), got;
    struct vmr_request request = {.event = sent};

    CHECK(rig_push(&rig, 0, &sent));
    CHECK_EQ(vmr_lane_pull(&rig.rx.lanes[0], &got), VMR_PULL_EVENT);
    vmr_lane_publish_cursor(&rig.rx.lanes[0]);
    same(&got, &sent);
    CHECK_EQ(got.lost, 0x61626364);

    CHECK(vmr_slot_add(&rig.tx.slots[0], &request));
    CHECK(vmr_slot_post(&rig.tx.slots[0]));
    CHECK_EQ(vmr_slot_take(&rig.rx.slots[0], &got), VMR_TAKE_EVENT);
    vmr_slot_retire(&rig.tx.slots[0]);
    same(&got, &sent);
}

int main(void)
{
    struct vmr_geometry geo = rig_geometry(1, 1, 0, 2);

    geo.record_len = XEN_VM_RING_MAX_RECORD;
    CHECK(vmr_geometry_lay_out(&geo, 2ULL * 2 * XEN_VM_RING_MAX_RECORD));
    rig_make(&rig, &geo);
    rig.tx.lanes[0].lost = 0x6161616161626364; /* mod 2^32 */
    through(0);
    through(UINT64_MAX);
    through(0xf0f0f0f0f0f0f0f0);
    return 0;
}
