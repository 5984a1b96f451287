/* SPDX-License-Identifier: MIT */
#include "consumer.h"

#include "lane_pull.h"

/* Records of one lane before requests and other lanes have their turn. */
#define MAX_BATCH 32

/* Looks at a drained lane before only its attention bit is looked at. */
#define LINGER 8

/* vCPUs and lanes looked at in one call, before the caller is asked again. */
#define MAX_LOOKS 128

static uint32_t batch_of(const struct vmr_geometry *geo)
{
    uint64_t half = geo->nr_records / 2;

    return half < MAX_BATCH ? (uint32_t)half : MAX_BATCH;
}

/* Of a group's three bitmaps: whole lines. */
static uint32_t words_of(const struct vmr_geometry *geo)
{
    uint32_t line = XEN_VM_RING_LINE / sizeof(uint64_t);
    uint32_t nr = 3 * vmr_bitmap_words(geo, geo->nr_lanes);

    return (nr + line - 1) / line * line;
}

/* All of it comes from a whole line on, for each thread's to be apart. */
static void *first_line(void *memory)
{
    uintptr_t skew = (uintptr_t)memory % XEN_VM_RING_LINE;

    return (unsigned char *)memory + (skew ? XEN_VM_RING_LINE - skew : 0);
}

size_t vmr_consumer_size(const struct vmr_geometry *geo)
{
    return 2 * (size_t)XEN_VM_RING_LINE +
           geo->nr_vcpus * sizeof(struct vmr_slot_rx) +
           geo->nr_lanes * sizeof(struct vmr_lane_rx) +
           geo->nr_groups * (sizeof(struct vmr_consumer_group) +
                             words_of(geo) * sizeof(uint64_t));
}

void vmr_consumer_init(struct vmr_consumer *consumer,
                       const struct vmr_geometry *geo, void *memory,
                       const void *p, void *c)
{
    uint32_t nr_words = words_of(geo);
    unsigned char *at = first_line(memory);
    uint64_t *words;

    consumer->geo = *geo;
    consumer->max_batch = batch_of(geo);
    consumer->header = p;
    consumer->rmws = (void *)at;
    *consumer->rmws = (struct vmr_rmws){0, 0};
    at += XEN_VM_RING_LINE;
    consumer->groups = (void *)at;
    at += geo->nr_groups * sizeof(struct vmr_consumer_group);
    consumer->slots = (void *)at;
    at += geo->nr_vcpus * sizeof(struct vmr_slot_rx);
    consumer->lanes = (void *)at;
    at += geo->nr_lanes * sizeof(struct vmr_lane_rx);
    words = (void *)at;
    for (uint32_t v = 0; v < geo->nr_vcpus; v++)
        vmr_slot_rx_init(&consumer->slots[v], geo, v, p, c);
    for (uint32_t i = 0; i < geo->nr_lanes; i++)
        vmr_lane_rx_init(&consumer->lanes[i], geo, i, p, c);
    for (uint32_t g = 0; g < geo->nr_groups; g++) {
        struct vmr_consumer_group *group = &consumer->groups[g];

        vmr_bell_rx_init(&group->bell, geo, g, p, c,
                         words + (size_t)g * nr_words);
        group->bell.ours = consumer->rmws;
        group->at = &consumer->lanes[g];
        group->from = group->until = 0;
        group->where = g;
        group->lane = 0;
        group->rejected = 0;
        group->broken = false;
    }
}

/*
 * The next record is not taken before all is looked at that comes before it:
 * requests may be known now, or a fault.
 */
static void close_batch(struct vmr_consumer_group *group)
{
    group->until = group->at->tail;
}

static enum vmr_next broken(struct vmr_consumer_group *group)
{
    group->rejected++;
    group->broken = true;
    close_batch(group);
    return VMR_NEXT_BROKEN;
}

/* The vCPU or lane that is `bit` of `group`. */
static uint32_t member(const struct vmr_consumer *consumer, uint32_t group,
                       uint32_t bit)
{
    return bit * consumer->geo.nr_groups + group;
}

static enum vmr_next next_request(struct vmr_consumer *consumer, uint32_t g,
                                  struct xen_vm_ring_event *event,
                                  uint32_t *where)
{
    struct vmr_consumer_group *group = &consumer->groups[g];
    uint32_t bit;

    for (int looks = 0; looks < MAX_LOOKS; looks++) {
        if (!vmr_bits_next(&group->bell.requests, 0, &bit))
            return VMR_NEXT_NONE;
        vmr_bits_clear(&group->bell.requests, bit);
        *where = member(consumer, g, bit);
        switch (vmr_slot_take(&consumer->slots[*where], event)) {
        case VMR_TAKE_EVENT:
            /* The slot knows its vCPU; what the record says does not count. */
            event->vcpu = (uint16_t)*where;
            return VMR_NEXT_REQUEST;
        case VMR_TAKE_BROKEN:
            return broken(group);
        case VMR_TAKE_AGAIN:
            /* Retired meanwhile; what is posted next sets its bit again. */
        case VMR_TAKE_NONE:
            break;
        }
    }
    return VMR_NEXT_AGAIN;
}

static void next_lane(struct vmr_consumer_group *group)
{
    group->lane = group->lane + 1 < group->bell.nr_lanes ? group->lane + 1 : 0;
}

/* Leaves the lane that records were taken of. */
static void leave_lane(struct vmr_consumer_group *group)
{
    if (group->from != group->at->tail)
        vmr_lane_publish_cursor(group->at);
    group->from = group->until = group->at->tail;
}

/* The round is at the lane that is `bit`. */
static void enter_lane(struct vmr_consumer *consumer, uint32_t g, uint32_t bit)
{
    struct vmr_consumer_group *group = &consumer->groups[g];

    group->lane = bit;
    group->where = member(consumer, g, bit);
    if (group->at == &consumer->lanes[group->where])
        return;
    leave_lane(group);
    group->at = &consumer->lanes[group->where];
    group->from = group->until = group->at->tail;
}

/*
 * The round goes on after a batch; only now, as the caller is done with the
 * batch's last record: had it died with that in hand, the slot would be its
 * successor's to drain.
 */
static void end_batch(struct vmr_consumer *consumer, uint32_t g)
{
    struct vmr_consumer_group *group = &consumer->groups[g];

    if (group->at->tail - group->from < consumer->max_batch)
        return;
    leave_lane(group);
    next_lane(group);
}

/*
 * A lane that was drained is looked at some more times before it is left to
 * its attention bit: a producer that finds that set has nothing to tell, and
 * a busy one is back soon.  Not where there are more lanes than one call looks
 * at, which would have to come round first to say that there is nothing.
 * true: it is left.
 */
static bool is_left(const struct vmr_consumer_group *group,
                    struct vmr_lane_rx *lane)
{
    if (group->bell.nr_lanes >= MAX_LOOKS || lane->idle == LINGER)
        return true;
    lane->idle++;
    return false;
}

/* What was overrun since the tail was there does not count for the batch. */
static void leave_out(struct vmr_consumer_group *group, uint64_t tail,
                      enum vmr_pull pull)
{
    group->from += group->at->tail - tail - (pull == VMR_PULL_EVENT);
}

/*
 * A record was taken: what is left of the batch can be, without looking at
 * anything else.
 */
static enum vmr_next go_on(const struct vmr_consumer *consumer,
                           struct vmr_consumer_group *group)
{
    struct vmr_lane_rx *lane = group->at;
    uint64_t batch = lane->tail - group->from;
    uint64_t ahead = lane->end - lane->tail, left = 0;

    if (batch < consumer->max_batch)
        left = consumer->max_batch - batch;
    lane->idle = 0;
    group->until = lane->tail + (ahead < left ? ahead : left);
    return VMR_NEXT_RECORD;
}

static enum vmr_next next_record(struct vmr_consumer *consumer, uint32_t g,
                                 struct xen_vm_ring_event *event,
                                 uint32_t *where)
{
    struct vmr_consumer_group *group = &consumer->groups[g];
    uint32_t bit, round = UINT32_MAX;
    enum vmr_pull pull;
    uint64_t tail;

    for (int looks = 0; looks < MAX_LOOKS; looks++) {
        /* All of them looked at once: nothing. */
        if (!vmr_bits_next(&group->bell.lanes, group->lane, &bit) ||
            bit == round)
            return VMR_NEXT_NONE;
        enter_lane(consumer, g, bit);
        *where = group->where;
        tail = group->at->tail;
        pull = vmr_lane_pull(group->at, event);
        leave_out(group, tail, pull);
        switch (pull) {
        case VMR_PULL_EVENT:
            return go_on(consumer, group);
        case VMR_PULL_NONE:
            leave_lane(group);
            if (is_left(group, group->at))
                vmr_bits_clear(&group->bell.lanes, bit);
            else if (round == UINT32_MAX)
                round = bit;
            next_lane(group);
            break;
        case VMR_PULL_AGAIN:
            /* Overrun at each look: requests and other lanes come first. */
            if (looks + 1 == MAX_LOOKS) {
                leave_lane(group);
                next_lane(group);
            }
            break;
        case VMR_PULL_BROKEN:
            vmr_bits_clear(&group->bell.lanes, bit);
            return broken(group);
        }
    }
    return VMR_NEXT_AGAIN;
}

enum vmr_next vmr_consumer_take(struct vmr_consumer *consumer, uint32_t g,
                                struct xen_vm_ring_event *event,
                                uint32_t *where)
{
    struct vmr_consumer_group *group = &consumer->groups[g];

    if (group->broken)
        return VMR_NEXT_BROKEN;
    close_batch(group);
    if (!vmr_bell_refill(&group->bell))
        return broken(group);
    return next_request(consumer, g, event, where);
}

/* Between batches, and when all is drained: what has come in. */
static enum vmr_next look_around(struct vmr_consumer *consumer, uint32_t g,
                                 struct xen_vm_ring_event *event,
                                 uint32_t *where)
{
    struct vmr_consumer_group *group = &consumer->groups[g];
    enum vmr_next next;

    if (!vmr_bell_refill(&group->bell))
        return broken(group);
    next = next_request(consumer, g, event, where);
    return next == VMR_NEXT_NONE ? next_record(consumer, g, event, where)
                                 : next;
}

/* Apart, so that what is called for every record has little to save. */
static __attribute__((__noinline__)) enum vmr_next
next_properly(struct vmr_consumer *consumer, struct vmr_consumer_group *group,
              struct xen_vm_ring_event *event, uint32_t *where)
{
    uint32_t g = (uint32_t)(group - consumer->groups);
    enum vmr_next next;

    if (group->broken)
        return VMR_NEXT_BROKEN;
    end_batch(consumer, g);
    next = next_request(consumer, g, event, where);
    if (next != VMR_NEXT_NONE)
        return next;
    return group->from != group->at->tail
               ? next_record(consumer, g, event, where)
               : look_around(consumer, g, event, where);
}

/*
 * The next of the batch is no record of one line that was there.  Apart, and
 * by what it is, so that what is called for every record has nothing to save.
 * Where the tail goes past the batch's end, what follows sets a new one: no
 * request is known amid a batch that would come first.
 */
static enum vmr_next next_of_batch(struct vmr_consumer *consumer,
                                   struct vmr_consumer_group *group,
                                   struct xen_vm_ring_event *event,
                                   uint32_t *where, enum vmr_line line,
                                   uint64_t state)
{
    uint64_t tail = group->at->tail;
    enum vmr_pull pull = vmr_lane_pull_on(group->at, event, line, state);

    leave_out(group, tail, pull);
    if (pull == VMR_PULL_EVENT)
        return go_on(consumer, group);
    return next_properly(consumer, group, event, where);
}

static __attribute__((__noinline__)) enum vmr_next
next_lapped(struct vmr_consumer *consumer, struct vmr_consumer_group *group,
            struct xen_vm_ring_event *event, uint32_t *where)
{
    return next_of_batch(consumer, group, event, where, VMR_LINE_LAPPED, 0);
}

static __attribute__((__noinline__)) enum vmr_next
next_longer(struct vmr_consumer *consumer, struct vmr_consumer_group *group,
            struct xen_vm_ring_event *event, uint32_t *where)
{
    return next_of_batch(consumer, group, event, where, VMR_LINE_LONGER, 0);
}

static __attribute__((__noinline__)) enum vmr_next
next_changed(struct vmr_consumer *consumer, struct vmr_consumer_group *group,
             struct xen_vm_ring_event *event, uint32_t *where, uint64_t state)
{
    return next_of_batch(consumer, group, event, where, VMR_LINE_CHANGED,
                         state);
}

enum vmr_next vmr_consumer_next(struct vmr_consumer *consumer, uint32_t g,
                                struct xen_vm_ring_event *event,
                                uint32_t *where)
{
    struct vmr_consumer_group *group = &consumer->groups[g];
    struct vmr_lane_rx *lane = group->at;
    uint64_t state;

    /* At once, which leaves gcc with nothing to keep; others say it anew. */
    *where = group->where;
    if (lane->tail == group->until)
        return next_properly(consumer, group, event, where);
    switch (vmr_lane_pull_line(lane, event, &state)) {
    case VMR_LINE_TAKEN:
        break;
    case VMR_LINE_LAPPED:
        return next_lapped(consumer, group, event, where);
    case VMR_LINE_LONGER:
        return next_longer(consumer, group, event, where);
    case VMR_LINE_CHANGED:
        return next_changed(consumer, group, event, where, state);
    }
    return VMR_NEXT_RECORD;
}

bool vmr_consumer_answer(struct vmr_consumer *consumer, uint32_t vcpu,
                         uint64_t seq,
                         const struct xen_vm_ring_response *response)
{
    struct vmr_slot_rx *slot = &consumer->slots[vcpu];

    if (vmr_slot_is_answered(slot, seq) || !vmr_slot_is_posted(slot, seq))
        return false;
    vmr_slot_answer(slot, seq, response);
    vmr_bits_set(
        &consumer->groups[vmr_group_of(&consumer->geo, vcpu)].bell.given,
        vmr_bit_of(&consumer->geo, vcpu));
    return true;
}

bool vmr_consumer_is_answered(const struct vmr_consumer *consumer,
                              uint32_t vcpu, uint64_t seq)
{
    return vmr_slot_is_answered(&consumer->slots[vcpu], seq);
}

bool vmr_consumer_flush(struct vmr_consumer *consumer, uint32_t g)
{
    struct vmr_consumer_group *group = &consumer->groups[g];
    enum vmr_flush flush = vmr_bell_flush_answers(&group->bell);

    /* Of our own region.  The answers are kept, and the next flush tries. */
    if (flush == VMR_FLUSH_BROKEN && !group->broken)
        (void)broken(group);
    return flush == VMR_FLUSH_RING;
}

/* Takes the bits that tell something new, and looks at each lane. */
static bool is_drained(struct vmr_consumer *consumer, uint32_t g)
{
    struct vmr_consumer_group *group = &consumer->groups[g];
    bool drained = true;
    uint32_t bit = 0;

    close_batch(group);
    if (!vmr_bell_refill(&group->bell)) {
        (void)broken(group);
        return false;
    }
    while (drained && vmr_bits_next(&group->bell.lanes, bit, &bit)) {
        drained =
            vmr_lane_is_drained(&consumer->lanes[member(consumer, g, bit)]);
        if (drained)
            vmr_bits_clear(&group->bell.lanes, bit);
    }
    return drained && !vmr_bits_next(&group->bell.requests, 0, &bit);
}

bool vmr_consumer_arm(struct vmr_consumer *consumer, uint32_t group)
{
    const struct vmr_bits *given = &consumer->groups[group].bell.given;

    /* Answers that the producer was not told of yet: vCPUs wait for them. */
    if (given->low != given->high)
        return false;
    /*
     * Twice: a bit of a lane that was looked at anyway is left in C by the
     * first, and is news to the second.
     */
    for (int i = 0; i < 2; i++)
        if (!is_drained(consumer, group))
            return false;
    return vmr_bell_arm(&consumer->groups[group].bell);
}

void vmr_consumer_disarm(struct vmr_consumer *consumer, uint32_t group)
{
    vmr_bell_disarm(&consumer->groups[group].bell);
}

void vmr_consumer_rescan(struct vmr_consumer *consumer, uint32_t g)
{
    struct vmr_bell_rx *bell = &consumer->groups[g].bell;

    close_batch(&consumer->groups[g]);
    for (uint32_t bit = 0; bit < bell->nr_lanes; bit++)
        vmr_lane_rx_to_head(&consumer->lanes[member(consumer, g, bit)]);
    vmr_bits_set_all(&bell->requests, bell->nr_vcpus);
    vmr_bits_set_all(&bell->lanes, bell->nr_lanes);
}

void vmr_consumer_publish(struct vmr_consumer *consumer, uint32_t group)
{
    leave_lane(&consumer->groups[group]);
}

uint64_t vmr_consumer_target(const struct vmr_consumer *consumer,
                             uint64_t *reason)
{
    /* Pairs with the release store in vmr_producer_set_target(). */
    uint64_t state = vmr_load_acquire(&consumer->header->target_state);

    *reason = vmr_load_relaxed(&consumer->header->shutdown_reason);
    return state;
}

uint64_t vmr_consumer_producer_state(const struct vmr_consumer *consumer)
{
    /* Pairs with the release store in vmr_producer_set_state(). */
    return vmr_load_acquire(&consumer->header->producer_state);
}

void vmr_consumer_lane(const struct vmr_consumer *consumer, uint32_t lane,
                       uint64_t *head, uint64_t *lost)
{
    const struct xen_vm_ring_lane *line = consumer->lanes[lane].line;

    /*
     * Each is monotonic, so the sum lies between the attempts at the first
     * and at the last load, in whichever order; it is exact at quiescence,
     * and the store that tells of that orders it.
     */
    *head = vmr_load_relaxed(&line->head);
    *lost =
        vmr_load_relaxed(&line->lost) + vmr_load_relaxed(&line->lost_contended);
}
