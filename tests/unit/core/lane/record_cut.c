/* SPDX-License-Identifier: MIT */
/*
 * Description: registers come along where records hold them, else are cut;
 * whoever pushes, and whatever has been pushed since the last flush.
 */
#include "rig.h"

#define FOREIGN 1

static struct rig rig;

enum how { ALONE, BEHIND_OTHERS, OWN };

static bool push(enum how how, const struct xen_vm_ring_event *event)
{
    if (how == ALONE)
        return rig_push(&rig, FOREIGN, event);
    return how == OWN ? vmr_producer_push_own(&rig.tx, 0, event)
                      : vmr_producer_push(&rig.tx, 0, event);
}

static void check(const struct xen_vm_ring_event *got,
                  const struct xen_vm_ring_event *event, uint32_t expected)
{
    bool cut = event->length >= XEN_VM_RING_EVENT_FULL &&
               expected < XEN_VM_RING_EVENT_FULL;

    CHECK_EQ(got->length, expected);
    CHECK_EQ(got->time, event->time);
    CHECK_EQ(got->u.words[3], 9);
    /* Had it registers? */
    CHECK_EQ(got->flags,
             cut ? event->flags | XEN_VM_RING_FLAG_REGS_CUT : event->flags);
    if (expected == XEN_VM_RING_EVENT_FULL)
        CHECK(!memcmp(&got->regs, &event->regs, sizeof(got->regs)));
    else
        CHECK_EQ(got->regs.words[0], 0);
}

static void pass_by(enum how how, uint32_t record_len, uint32_t length,
                    uint32_t expected)
{
    struct vmr_geometry geo = rig_geometry(1, 1, XEN_VM_RING_POLICY_DISCARD, 2);
    struct xen_vm_ring_event event = rig_event(4, 0, 9), got;
    struct vmr_lane_rx *rx;
    uint64_t each = how == ALONE ? 1 : 2;

    geo.record_len = record_len;
    CHECK(vmr_geometry_lay_out(&geo, 8 * record_len));
    rig_make(&rig, &geo);
    rx = &rig.rx.lanes[how == ALONE ? FOREIGN : 0];
    event.length = (uint16_t)length;
    memset(&event.regs, 0x5a, sizeof(event.regs));
    for (uint64_t i = 0; i < 6; i++) {
        event.time = 1000 + i;
        CHECK(push(how, &event));
        if (i % each != each - 1)
            continue;
        vmr_lane_show(&rig.tx.lanes[how == ALONE ? FOREIGN : 0]);
        for (uint64_t n = 0; n < each; n++) {
            event.time = 1000 + i + 1 - each + n;
            memset(&got, 0, sizeof(got));
            CHECK_EQ(vmr_lane_pull(rx, &got), VMR_PULL_EVENT);
            check(&got, &event, expected);
        }
        vmr_lane_publish_cursor(rx);
    }
}

static void pass(uint32_t record_len, uint32_t length, uint32_t expected)
{
    pass_by(ALONE, record_len, length, expected);
    pass_by(BEHIND_OTHERS, record_len, length, expected);
    pass_by(OWN, record_len, length, expected);
}

int main(void)
{
    uint32_t head = XEN_VM_RING_EVENT_HEAD, full = XEN_VM_RING_EVENT_FULL;

    pass(64, head, head);
    pass(64, full, head);
    pass(384, full, head); /* 408 do not fit */
    pass(448, full, full);
    pass(448, head, head);
    pass(512, full, full);
    pass(512, 100, head); /* neither the one nor the other */
    pass(512, 65535, full);
    return 0;
}
