/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <sys/mman.h>

void *guarded(size_t len)
{
    size_t page = XEN_VM_RING_PAGE;
    unsigned char *at = mmap(NULL, len + 2 * page, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(at != MAP_FAILED);
    CHECK(mprotect(at + page, len, PROT_READ | PROT_WRITE) == 0);
    return at + page;
}

struct vmr_geometry rig_geometry(uint32_t nr_vcpus, uint32_t nr_groups,
                                 uint32_t policy, uint32_t slots)
{
    struct vmr_geometry geo = {
        .features = XEN_VM_RING_FEATURES,
        .epoch = 1,
        .nr_vcpus = nr_vcpus,
        .nr_lanes = nr_vcpus + 1,
        .nr_groups = nr_groups,
        .policy = policy,
        .verdicts = XEN_VM_RING_VERDICTS,
        .arch = XEN_VM_RING_ARCH_X86,
        .clock = XEN_VM_RING_CLOCK_MONOTONIC,
        .record_len = 64,
        .minor = XEN_VM_RING_VERSION_MINOR,
        .source = XEN_VM_RING_SOURCE_SIMULATED,
        .target_id = 0x0123456789abcdef,
    };

    CHECK(vmr_geometry_lay_out(&geo, (uint64_t)slots * geo.nr_lanes * 64));
    CHECK_EQ(geo.slots, slots);
    return geo;
}

void rig_attach(struct rig *rig)
{
    struct vmr_geometry seen;

    rig->p = guarded(rig->geo.p_len);
    rig->c = guarded(rig->geo.c_len);
    vmr_geometry_publish(&rig->geo, (void *)rig->p);
    vmr_producer_freeze(&rig->tx);
    vmr_producer_attach(&rig->tx, &rig->geo, rig->p, rig->c);
    CHECK(vmr_geometry_read(&seen, (void *)rig->p, rig->geo.p_len,
                            rig->geo.c_len));
    free(rig->rx_memory);
    rig->rx_memory = calloc(1, vmr_consumer_size(&seen));
    CHECK(rig->rx_memory);
    vmr_consumer_init(&rig->rx, &seen, rig->rx_memory, rig->p, rig->c);
    rig->geo.epoch++;
}

void rig_make(struct rig *rig, const struct vmr_geometry *geo)
{
    free(rig->tx_memory);
    free(rig->rx_memory);
    memset(rig, 0, sizeof(*rig));
    rig->geo = *geo;
    rig->tx_memory = calloc(1, vmr_producer_size(geo->nr_vcpus, geo->nr_lanes));
    CHECK(rig->tx_memory);
    vmr_producer_init(&rig->tx, rig->tx_memory, geo->nr_vcpus, geo->nr_lanes);
    rig_attach(rig);
}

struct xen_vm_ring_event rig_event(uint32_t reason, uint32_t vcpu,
                                   uint64_t number)
{
    struct xen_vm_ring_event event;

    memset(&event, 0, sizeof(event));
    event.reason = (uint16_t)reason;
    event.vcpu = (uint16_t)vcpu;
    event.length = XEN_VM_RING_EVENT_HEAD;
    event.time = number;
    for (int i = 0; i < 4; i++)
        event.u.words[i] = number;
    return event;
}

struct vmr_request rig_request(uint32_t vcpu, uint64_t number,
                               uint64_t deadline)
{
    struct vmr_request request = {
        .event = rig_event(XEN_VM_RING_REASON_CPUID, vcpu, number),
        .cookie = number,
        .deadline = deadline,
    };

    return request;
}

bool rig_push(struct rig *rig, uint32_t lane,
              const struct xen_vm_ring_event *event)
{
    bool published = vmr_lane_push(&rig->tx.lanes[lane], event);

    vmr_lane_show(&rig->tx.lanes[lane]);
    return published;
}

bool rig_collect(struct rig *rig, struct vmr_verdict *verdict)
{
    return vmr_producer_collect(&rig->tx, rig->now, verdict);
}

bool rig_answer(struct rig *rig, const struct xen_vm_ring_event *event,
                uint32_t vcpu)
{
    struct xen_vm_ring_response response = {.reason = event->reason};

    CHECK(vmr_consumer_answer(&rig->rx, vcpu, event->state, &response));
    return vmr_consumer_flush(&rig->rx, vmr_group_of(&rig->geo, vcpu));
}

struct xen_vm_ring_lane *rig_lane(struct rig *rig, uint32_t lane)
{
    return (void *)(rig->p + rig->geo.lane_off + lane * XEN_VM_RING_LANE);
}

struct xen_vm_ring_cursor *rig_cursor(struct rig *rig, uint32_t lane)
{
    return (void *)(rig->c + rig->geo.cursor_off + lane * XEN_VM_RING_LINE);
}

struct xen_vm_ring_response *rig_response(struct rig *rig, uint32_t vcpu)
{
    return (void *)(rig->c + rig->geo.response_off + vcpu * XEN_VM_RING_SLOT);
}

struct xen_vm_ring_event *rig_slot(struct rig *rig, uint32_t vcpu)
{
    return (void *)(rig->p + rig->geo.request_off + vcpu * XEN_VM_RING_SLOT);
}

struct xen_vm_ring_c_group *rig_group(struct rig *rig, uint32_t group)
{
    return (void *)(rig->c + rig->geo.c_group_off +
                    group * rig->geo.c_group_len);
}

xen_vm_ring_u64 *rig_answered(struct rig *rig, uint32_t group)
{
    return (void *)((unsigned char *)rig_group(rig, group) +
                    rig->geo.answered_off);
}

uint32_t rig_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(*state >> 33);
}
