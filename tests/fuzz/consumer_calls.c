/* SPDX-License-Identifier: MIT */
/* consumer_calls.c: each call of the consumer, and what must hold after it. */
#include "core/response_check.h"
#include "ring.h"

#include <string.h>

/* An account of our own of what a header may say: nothing lies outside. */
static bool fits(uint64_t off, uint64_t nr, uint64_t stride, uint64_t len)
{
    return off <= len && (unsigned __int128)nr * stride <= len - off;
}

static void check_geometry(const struct vmr_geometry *geo, uint64_t p_len,
                           uint64_t c_len)
{
    uint64_t bitmap = ring_words(geo) * 8ULL;

    ALWAYS(geo->p_len == p_len &&
           (c_len == VMR_ANY_LEN || geo->c_len == c_len));
    ALWAYS(geo->nr_vcpus && geo->nr_lanes >= geo->nr_vcpus);
    ALWAYS(geo->nr_lanes <= geo->nr_vcpus + 1);
    ALWAYS(geo->nr_groups && geo->nr_groups <= XEN_VM_RING_MAX_GROUPS);
    ALWAYS(geo->nr_records >= XEN_VM_RING_MIN_SLOTS);
    ALWAYS((geo->nr_records & (geo->nr_records - 1)) == 0);
    ALWAYS(geo->record_len >= XEN_VM_RING_MIN_RECORD);
    ALWAYS(geo->record_len <= XEN_VM_RING_MAX_RECORD);
    ALWAYS(geo->slot_len >= XEN_VM_RING_SLOT);
    ALWAYS(fits(geo->request_off, geo->nr_vcpus, geo->slot_len, p_len));
    ALWAYS(fits(geo->p_group_off, geo->nr_groups, XEN_VM_RING_LINE, p_len));
    ALWAYS(fits(geo->lane_off, geo->nr_lanes, XEN_VM_RING_LANE, p_len));
    ALWAYS(fits(geo->record_off, geo->nr_lanes * geo->nr_records,
                geo->record_len, p_len));
    ALWAYS(fits(geo->response_off, geo->nr_vcpus, geo->slot_len, geo->c_len));
    ALWAYS(fits(geo->cursor_off, geo->nr_lanes, XEN_VM_RING_LINE, geo->c_len));
    ALWAYS(
        fits(geo->c_group_off, geo->nr_groups, geo->c_group_len, geo->c_len));
    ALWAYS(fits(geo->attn_request_off, 1, bitmap, geo->c_group_len));
    ALWAYS(fits(geo->attn_lane_off, 1, bitmap, geo->c_group_len));
    ALWAYS(fits(geo->answered_off, 1, bitmap, geo->c_group_len));
}

void consumer_attach(struct ring *ring)
{
    const struct area *area = ring_area(ring);
    struct vmr_geometry geo;

    ring_enter(ring, CONSUMER, sizeof(struct xen_vm_ring_header) / 8);
    ring->attached = vmr_geometry_read(&geo, (const void *)area->p_reads,
                                       ring->geo.p_len, ring->geo.c_len);
    ring_leave(ring, CONSUMER);
    ALWAYS(ring->attached || !ring->honest);
    if (!ring->attached)
        return;
    check_geometry(&geo, ring->geo.p_len, ring->geo.c_len);
    ALWAYS(geo.nr_lanes <= MAX_MEMBERS);
    free(ring->rx_memory);
    ring->rx_memory = malloc(vmr_consumer_size(&geo));
    ALWAYS(ring->rx_memory);
    vmr_consumer_init(&ring->rx, &geo, ring->rx_memory, area->p_reads, area->c);
    ring_use_members(ring, geo.nr_lanes);
    for (uint32_t i = 0; i < geo.nr_lanes; i++) {
        ring->members[i].held = ring->members[i].answered_seq = 0;
        ring->members[i].next_position = 0;
    }
    memset(ring->faulted, 0, sizeof(ring->faulted));
    memset(ring->sleeps, 0, sizeof(ring->sleeps));
    memset(ring->armings, 0, sizeof(ring->armings));
    memset(ring->rings, 0, sizeof(ring->rings));
}

static void check_event(const struct ring *ring,
                        const struct xen_vm_ring_event *event, uint32_t where)
{
    ALWAYS(event->length == XEN_VM_RING_EVENT_HEAD ||
           event->length == XEN_VM_RING_EVENT_FULL);
    /* Of an honest producer no event is torn. */
    if (ring->honest)
        ALWAYS(ring_is_whole(event, where));
}

static void got_request(struct ring *ring, uint32_t group,
                        const struct xen_vm_ring_event *event, uint32_t vcpu)
{
    ALWAYS(vcpu < ring->rx.geo.nr_vcpus);
    ALWAYS(vcpu % ring->rx.geo.nr_groups == group && event->vcpu == vcpu);
    ALWAYS(event->state & 1);
    /* One seq is handed out once; in a P that is kept well, they grow. */
    ALWAYS(event->state != ring->members[vcpu].held);
    ALWAYS(!ring->honest || event->state > ring->members[vcpu].held);
    check_event(ring, event, vcpu);
    ring->members[vcpu].held = event->state;
    ring->members[vcpu].reason = event->reason;
}

/* Of a lane, hostile or not: each position once, onwards. */
static void check_lane(const struct vmr_lane_rx *lane, uint64_t next_position)
{
    uint64_t skipped = lane->tail - 1 - next_position;

    ALWAYS(skipped >> 63 == 0);
    ALWAYS(lane->loss_policy == XEN_VM_RING_POLICY_OVERWRITE || skipped == 0);
    ALWAYS(!lane->broken);
}

static void got_record(struct ring *ring, uint32_t group,
                       const struct xen_vm_ring_event *event, uint32_t where)
{
    const struct vmr_lane_rx *lane = &ring->rx.lanes[where];

    ALWAYS(where < ring->rx.geo.nr_lanes);
    ALWAYS(where % ring->rx.geo.nr_groups == group);
    ALWAYS(event->length <= ring->rx.geo.record_len);
    check_lane(lane, ring->members[where].next_position);
    ALWAYS(lane->taken + lane->overwritten == lane->tail);
    check_event(ring, event, where);
    if (ring->honest)
        ALWAYS(event->time == lane->tail - 1 && event->state == 2 * lane->tail);
    ring->members[where].next_position = lane->tail;
}

static void got(struct ring *ring, uint32_t group, enum vmr_next next,
                const struct xen_vm_ring_event *event, uint32_t where)
{
    bool was_faulted = ring->faulted[group];

    ring->sleeps[group] = false;
    /* A fault is for good, and no event comes after it. */
    ALWAYS(!was_faulted || next == VMR_NEXT_BROKEN);
    ALWAYS(next != VMR_NEXT_BROKEN || !ring->honest);
    ring->faulted[group] = next == VMR_NEXT_BROKEN;
    ALWAYS(!ring_is_sound(ring, CONSUMER) ||
           ring->rx.groups[group].broken == ring->faulted[group]);
    if (next == VMR_NEXT_REQUEST)
        got_request(ring, group, event, where);
    else if (next == VMR_NEXT_RECORD)
        got_record(ring, group, event, where);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Accesses of a pass over requests; 128 slots are looked at in one call. */
static uint64_t pass_steps(const struct vmr_geometry *geo)
{
    return least(128, geo->nr_vcpus / geo->nr_groups + 1) * LOOK_STEPS;
}

static enum vmr_next next(struct ring *ring, uint32_t group)
{
    const struct vmr_geometry *geo = &ring->rx.geo;
    uint64_t refill = 2 * ring_bitmap_steps(geo);
    struct xen_vm_ring_event event;
    enum vmr_next next;
    uint32_t where;

    /*
     * Of lanes too 128 are looked at, and a cursor may be published each;
     * one more amid a batch.
     */
    ring_enter(ring, CONSUMER,
               2 * pass_steps(geo) + refill + 128 * (PULL_STEPS + 1) +
                   PULL_STEPS + 2);
    next = vmr_consumer_next(&ring->rx, group, &event, &where);
    ring_leave(ring, CONSUMER);
    got(ring, group, next, &event, where);
    return next;
}

static void take(struct ring *ring, uint32_t group)
{
    const struct vmr_geometry *geo = &ring->rx.geo;
    struct xen_vm_ring_event event;
    enum vmr_next next;
    uint32_t where;

    ring_enter(ring, CONSUMER, pass_steps(geo) + 2 * ring_bitmap_steps(geo));
    next = vmr_consumer_take(&ring->rx, group, &event, &where);
    ring_leave(ring, CONSUMER);
    ALWAYS(next != VMR_NEXT_RECORD);
    got(ring, group, next, &event, where);
}

/* Flags that a consumer of good will may set here. */
static uint32_t choose_flags(const struct ring *ring, uint16_t reason,
                             uint8_t arg)
{
    uint32_t flags = 1U << arg % 17;

    if (vmr_response_check(reason, flags, ring->rx.geo.verdicts))
        return 0;
    return flags;
}

/* What goes with the flags, as a consumer of good will has it. */
static void fill(struct xen_vm_ring_response *response, uint8_t arg)
{
    /* #UD: an exception (HVMOP_TRAP_hw_exc) that has no error code. */
    static const struct xen_vm_ring_inject ud = {
        .vector = 6, .type = 3, .error_code = UINT32_MAX};

    if (response->flags & XEN_VM_RING_FLAG_INJECT)
        response->inject = ud;
    if (response->flags & XEN_VM_RING_FLAG_SET_EMUL_READ_DATA)
        response->data.emul_read.size =
            arg % (sizeof(response->data.emul_read.data) + 1);
}

static void answer(struct ring *ring, uint32_t vcpu, uint8_t arg)
{
    uint64_t seq = ring->members[vcpu].held;
    struct xen_vm_ring_response response = {.reason =
                                                ring->members[vcpu].reason};
    const struct xen_vm_ring_response *slot = ring->rx.slots[vcpu].response;
    uint64_t before = slot->seq;
    uint64_t seq_before = ring->members[vcpu].answered_seq;
    uint32_t flags_before = ring->members[vcpu].answered;
    bool given;

    if (!seq || seq == ring->members[vcpu].answered_seq)
        return; /* one answer a request is all that good will gives */
    response.flags = choose_flags(ring, response.reason, arg);
    response.data.words[0] = seq;
    fill(&response, arg);
    /* What the producer ignored would be an answer that nobody takes. */
    ALWAYS(!ring->honest ||
           vmr_response_is_whole(&response, ring->rx.geo.arch));
    ring->members[vcpu].answered = response.flags & ~XEN_VM_RING_FLAGS_VOID;
    ring->members[vcpu].answered_seq = seq;
    ring_enter(ring, CONSUMER, ANSWER_STEPS + 1);
    given = vmr_consumer_answer(&ring->rx, vcpu, seq, &response);
    ring_leave(ring, CONSUMER);
    if (!given) {
        ring->members[vcpu].answered_seq = seq_before;
        ring->members[vcpu].answered = flags_before;
    }
    if (ring->honest)
        ALWAYS(slot->seq == (given ? seq : before));
}

static void flush(struct ring *ring, uint32_t group)
{
    bool rung;

    ring_enter(ring, CONSUMER, 2 * ring_bitmap_steps(&ring->rx.geo) + 1);
    rung = vmr_consumer_flush(&ring->rx, group);
    ring_leave(ring, CONSUMER);
    if (!rung)
        return;
    ring->tx_sleeps = ring->deaf[group] = false;
    /* At most one doorbell for each arming. */
    ALWAYS(!ring->honest || ++ring->tx_rings[group] <= ring->tx_armings[group]);
}

static void arm(struct ring *ring, uint32_t group)
{
    bool asleep;

    ring->armings[group]++;
    ring->sleeps[group] = true; /* unless it is rung meanwhile */
    /* Twice: what is news, and each lane's head; then all bits once more. */
    ring_enter(
        ring, CONSUMER,
        2 * (2 * ring_bitmap_steps(&ring->rx.geo) + ring->rx.geo.nr_lanes) +
            2 * ring_bitmap_steps(&ring->rx.geo) + 2);
    asleep = vmr_consumer_arm(&ring->rx, group);
    ring_leave(ring, CONSUMER);
    if (!asleep)
        ring->sleeps[group] = false;
}

static void look_at_words(struct ring *ring, uint32_t lane)
{
    uint64_t head, lost, reason, state;

    ring_enter(ring, CONSUMER, 6);
    vmr_consumer_lane(&ring->rx, lane, &head, &lost);
    state = vmr_consumer_target(&ring->rx, &reason);
    (void)vmr_consumer_producer_state(&ring->rx);
    ring_leave(ring, CONSUMER);
    if (!ring->honest)
        return;
    ALWAYS(state <= XEN_VM_RING_TARGET_DESTROYED);
    ALWAYS(head + lost <= ring->members[lane].attempts);
}

/* A frozen P of before: every lane from where its consumer left off. */
void consumer_drain_frozen(struct ring *ring, const struct area *area)
{
    struct xen_vm_ring_event event;
    struct vmr_geometry geo;
    bool accepted;

    ring->frozen = area->p_reads;
    ring_enter(ring, CONSUMER, sizeof(struct xen_vm_ring_header) / 8);
    accepted = vmr_geometry_read(&geo, (const void *)area->p_reads,
                                 ring->geo.p_len, VMR_ANY_LEN);
    ring_leave(ring, CONSUMER);
    ALWAYS(accepted || !ring->honest);
    if (accepted)
        check_geometry(&geo, ring->geo.p_len, VMR_ANY_LEN);
    for (uint32_t i = 0; accepted && i < geo.nr_lanes && i < 8; i++) {
        struct vmr_lane_rx lane;
        enum vmr_pull pull = VMR_PULL_AGAIN;
        uint64_t position;

        vmr_lane_rx_init(&lane, &geo, i, area->p_reads, NULL);
        ring_enter(ring, CONSUMER, 1 + 70 * PULL_STEPS);
        vmr_lane_rx_resume(&lane);
        position = lane.tail;
        for (int n = 0; n < 70 && pull != VMR_PULL_BROKEN; n++) {
            pull = vmr_lane_pull(&lane, &event);
            if (pull != VMR_PULL_EVENT)
                continue;
            check_lane(&lane, position);
            check_event(ring, &event, i);
            position = lane.tail;
        }
        vmr_lane_publish_cursor(&lane);
        ring_leave(ring, CONSUMER);
        ALWAYS(pull != VMR_PULL_BROKEN || !ring->honest);
    }
    ring->frozen = NULL;
}

void consumer_act(struct ring *ring, uint8_t what, uint8_t arg)
{
    uint32_t group, vcpu;

    if (!ring->attached)
        return;
    group = arg % ring->rx.geo.nr_groups;
    vcpu = arg % ring->rx.geo.nr_vcpus;
    switch (what % 12) {
    case 0:
        take(ring, group);
        break;
    case 1:
        arm(ring, group);
        break;
    case 2:
        flush(ring, group);
        break;
    case 3:
        ring_enter(ring, CONSUMER, 1);
        vmr_consumer_disarm(&ring->rx, group);
        ring_leave(ring, CONSUMER);
        ring->sleeps[group] = false;
        break;
    case 4:
        vmr_consumer_rescan(&ring->rx, group);
        break;
    case 5:
        ring_enter(ring, CONSUMER, 1);
        vmr_consumer_publish(&ring->rx, group);
        ring_leave(ring, CONSUMER);
        break;
    case 6:
        look_at_words(ring, arg % ring->rx.geo.nr_lanes);
        break;
    case 7:
    case 8:
        answer(ring, vcpu, (uint8_t)(what / 12));
        break;
    case 9: /* as a tool does it: all there is, answered, then to sleep */
        for (int i = 0; i < 16; i++)
            if (next(ring, group) == VMR_NEXT_NONE)
                break;
        answer(ring, vcpu, (uint8_t)(what / 12));
        flush(ring, group);
        arm(ring, group);
        break;
    default:
        next(ring, group);
        break;
    }
}
