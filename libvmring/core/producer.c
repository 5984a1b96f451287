/* SPDX-License-Identifier: MIT */
#include "producer.h"

#include "atomic.h"

/* The lanes come first, from a whole line on. */
static void *first_line(void *memory)
{
    uintptr_t skew = (uintptr_t)memory % XEN_VM_RING_LINE;

    return (unsigned char *)memory + (skew ? XEN_VM_RING_LINE - skew : 0);
}

/* The arrays behind the caller's memory, in this order. */
size_t vmr_producer_size(uint32_t nr_vcpus, uint32_t nr_lanes)
{
    return XEN_VM_RING_LINE + nr_lanes * sizeof(struct vmr_lane_tx) +
           nr_vcpus * (sizeof(struct vmr_slot_tx) +
                       VMR_FIFO * sizeof(struct vmr_request)) +
           (vmr_bell_words(nr_lanes) + VMR_BITMAP_WORDS) * sizeof(uint64_t);
}

void vmr_producer_init(struct vmr_producer *producer, void *memory,
                       uint32_t nr_vcpus, uint32_t nr_lanes)
{
    unsigned char *at = first_line(memory);
    struct vmr_request *fifo;

    *producer = (struct vmr_producer){
        .nr_vcpus = nr_vcpus,
        .nr_lanes = nr_lanes,
        .next_deadline = VMR_NO_DEADLINE,
        .scan_deadline = VMR_NO_DEADLINE,
    };
    producer->lanes = (void *)at;
    at += nr_lanes * sizeof(struct vmr_lane_tx);
    producer->slots = (void *)at;
    at += nr_vcpus * sizeof(struct vmr_slot_tx);
    fifo = (void *)at;
    at += (size_t)nr_vcpus * VMR_FIFO * sizeof(struct vmr_request);
    producer->bell_words = (void *)at;
    at += vmr_bell_words(nr_lanes) * sizeof(uint64_t);
    producer->pending_words = (void *)at;
    vmr_bits_init(&producer->pending, producer->pending_words,
                  VMR_BITMAP_WORDS);
    for (uint32_t v = 0; v < nr_vcpus; v++)
        vmr_slot_tx_init(&producer->slots[v], &fifo[v], nr_vcpus);
}

static struct vmr_bell_tx *bell_of(struct vmr_producer *producer, uint32_t v)
{
    return &producer->bells[vmr_group_of(&producer->geo, v)];
}

/* Makes the next request of a vCPU visible, if it is not. */
static void post_next(struct vmr_producer *producer, uint32_t vcpu)
{
    if (vmr_slot_post(&producer->slots[vcpu]))
        vmr_bits_set(&bell_of(producer, vcpu)->requests,
                     vmr_bit_of(&producer->geo, vcpu));
}

/* A cursor that is a lie is found wherever it is read. */
static void count_fault(struct vmr_producer *producer, uint32_t lane)
{
    struct vmr_lane_tx *tx = &producer->lanes[lane];

    if ((tx->faulted || tx->kept_from) && !tx->fault_counted) {
        tx->fault_counted = true;
        producer->lane_faults++;
    }
}

void vmr_producer_freeze(struct vmr_producer *producer)
{
    if (!producer->header)
        return;
    for (uint32_t i = 0; i < producer->nr_lanes; i++) {
        vmr_lane_freeze(&producer->lanes[i]);
        count_fault(producer, i);
    }
    vmr_producer_set_state(producer, XEN_VM_RING_PRODUCER_FROZEN);
}

void vmr_producer_attach(struct vmr_producer *producer,
                         const struct vmr_geometry *geo, void *p, void *c)
{
    uint32_t nr_words = 3 * vmr_bitmap_words(geo, geo->nr_lanes);

    producer->geo = *geo;
    producer->header = p;
    for (uint32_t g = 0; g < geo->nr_groups; g++)
        vmr_bell_tx_init(&producer->bells[g], geo, g, p, c,
                         producer->bell_words + (size_t)g * nr_words);
    for (uint32_t i = 0; i < producer->nr_lanes; i++)
        vmr_lane_tx_init(&producer->lanes[i], geo, i, p, c);
    for (uint32_t v = 0; v < producer->nr_vcpus; v++) {
        vmr_slot_tx_attach(&producer->slots[v], geo, v, p, c);
        post_next(producer, v);
    }
    producer->foreign_pushed = 0;
    producer->foreign_told = 0;
    producer->attached = true;
    producer->sweeping = false;
    producer->release = 0;
    producer->faulted = false;
    producer->fetch = 0;
}

void vmr_producer_sweep(struct vmr_producer *producer)
{
    if (!producer->attached)
        return;
    for (uint32_t v = 0; v < producer->nr_vcpus; v++)
        if (producer->slots[v].nr)
            vmr_bits_set(&bell_of(producer, v)->verdicts,
                         vmr_bit_of(&producer->geo, v));
    producer->sweeping = true;
}

void vmr_producer_release(struct vmr_producer *producer)
{
    producer->release = VMR_BY_DETACH;
    producer->next_deadline = 0;
}

/* A request of this deadline is now first of its vCPU's. */
static void expect_by(struct vmr_producer *producer, uint64_t deadline)
{
    if (deadline < producer->next_deadline)
        producer->next_deadline = deadline;
    /* A scan that is under way may have passed its vCPU. */
    if (deadline < producer->scan_deadline)
        producer->scan_deadline = deadline;
}

bool vmr_producer_post(struct vmr_producer *producer,
                       const struct vmr_request *request)
{
    uint32_t vcpu = request->event.vcpu;

    if (!vmr_slot_add(&producer->slots[vcpu], request))
        return false;
    vmr_bits_set(&producer->pending, vcpu);
    expect_by(producer, request->deadline);
    post_next(producer, vcpu);
    return true;
}

/*
 * The foreign lane is no vCPU's: whoever pushes into it beside the producer's
 * own thread has one try, and touches nothing of the others.
 */
static bool push_foreign(struct vmr_producer *producer, uint32_t lane,
                         const struct xen_vm_ring_event *event)
{
    struct vmr_lane_tx *tx = &producer->lanes[lane];
    bool published;

    if (!vmr_trylock(&producer->foreign_lock)) {
        vmr_add_relaxed(&tx->line->lost_contended, 1);
        return false;
    }
    published = vmr_lane_push(tx, event);
    if (published) {
        vmr_lane_show(tx);
        /* Pairs with the load in tell_foreign() and D1's barrier behind it. */
        vmr_store_release(&producer->foreign_pushed, tx->head);
    }
    vmr_unlock(&producer->foreign_lock);
    return published;
}

bool vmr_producer_push(struct vmr_producer *producer, uint32_t lane,
                       const struct xen_vm_ring_event *event)
{
    struct vmr_lane_tx *tx = &producer->lanes[lane];

    if (!producer->header)
        return false;
    if (lane >= producer->nr_vcpus)
        return push_foreign(producer, lane, event);
    if (!vmr_lane_push(tx, event)) {
        /* A loss is told with the next record: nothing to look at for it. */
        count_fault(producer, lane);
        return false;
    }
    if (!tx->untold) {
        tx->untold = true;
        vmr_bits_set(&producer->bells[tx->group].lanes, tx->bit);
    }
    return true;
}

bool vmr_producer_push_own(struct vmr_producer *producer, uint32_t lane,
                           const struct xen_vm_ring_event *event)
{
    struct vmr_lane_tx *tx = &producer->lanes[lane];

    if (!producer->header || !vmr_lane_push(tx, event))
        return false;
    tx->own_untold = true;
    return true;
}

bool vmr_producer_flush_own(struct vmr_producer *producer, uint32_t lane)
{
    struct vmr_lane_tx *tx = &producer->lanes[lane];

    if (!tx->own_untold || tx->kept_from || !producer->attached)
        return false;
    tx->own_untold = false;
    vmr_lane_show(tx);
    switch (vmr_bell_flush_lane(&producer->bells[tx->group], tx->bit)) {
    case VMR_FLUSH_RING:
        return true;
    case VMR_FLUSH_FAULT:
        /* It harms itself: its lane is told of no more. */
        tx->kept_from = true;
        break;
    case VMR_FLUSH_QUIET:
        break;
    }
    return false;
}

typedef enum vmr_flush flush_fn(struct vmr_bell_tx *tx);

static uint64_t each_bell(struct vmr_producer *producer, flush_fn *fn)
{
    uint64_t ring = 0;

    if (!producer->attached || producer->faulted)
        return 0;
    for (uint32_t g = 0; g < producer->geo.nr_groups; g++) {
        switch (fn(&producer->bells[g])) {
        case VMR_FLUSH_RING:
            ring |= 1ULL << g;
            break;
        case VMR_FLUSH_FAULT:
            producer->faulted = true;
            break;
        case VMR_FLUSH_QUIET:
            break;
        }
    }
    return ring;
}

/* Of each vCPU's lane of a group, what was pushed since the last flush. */
static void show_untold(struct vmr_producer *producer, uint32_t group)
{
    const struct vmr_bits *untold = &producer->bells[group].lanes;
    uint32_t bit;

    for (bit = 0; vmr_bits_from(untold, bit, &bit); bit++) {
        uint32_t lane = bit * producer->geo.nr_groups + group;

        producer->lanes[lane].untold = false;
        vmr_lane_show(&producer->lanes[lane]);
    }
}

/* The foreign lane shows itself. */
static void tell_foreign(struct vmr_producer *producer)
{
    struct vmr_lane_tx *tx = &producer->lanes[producer->nr_vcpus];
    /*
     * Relaxed: D1's barrier comes after it.  Pairs with the release store in
     * push_foreign(): what it counts was shown before.
     */
    uint64_t pushed = vmr_load_relaxed(&producer->foreign_pushed);

    if (pushed == producer->foreign_told)
        return;
    producer->foreign_told = pushed;
    vmr_bits_set(&producer->bells[tx->group].lanes, tx->bit);
}

uint64_t vmr_producer_flush(struct vmr_producer *producer)
{
    if (producer->attached) {
        for (uint32_t g = 0; g < producer->geo.nr_groups; g++)
            show_untold(producer, g);
        if (producer->nr_lanes > producer->nr_vcpus)
            tell_foreign(producer);
    }
    return each_bell(producer, vmr_bell_flush);
}

uint64_t vmr_producer_wake(struct vmr_producer *producer)
{
    return each_bell(producer, vmr_bell_wake);
}

/* The vCPU's first request has its verdict: take it out, post the next. */
static void retire(struct vmr_producer *producer, uint32_t vcpu,
                   struct vmr_verdict *verdict)
{
    struct vmr_slot_tx *slot = &producer->slots[vcpu];

    verdict->request = *vmr_slot_first(slot);
    vmr_slot_retire(slot);
    if (slot->nr) {
        expect_by(producer, vmr_slot_first(slot)->deadline);
        post_next(producer, vcpu);
    } else {
        vmr_bits_clear(&producer->pending, vcpu);
    }
}

static void neutral(struct vmr_verdict *verdict, enum vmr_by by)
{
    verdict->by = by;
    verdict->response = (struct xen_vm_ring_response){
        .reason = verdict->request.event.reason,
        .altp2m_idx = verdict->request.event.altp2m_idx,
    };
}

/* The answer to the visible request of a vCPU, if it is there and right. */
static bool collect_one(struct vmr_producer *producer, uint32_t vcpu,
                        struct vmr_verdict *verdict)
{
    struct vmr_slot_tx *slot = &producer->slots[vcpu];

    switch (vmr_slot_collect(slot, &verdict->response)) {
    case VMR_COLLECT_NONE:
    case VMR_COLLECT_STALE:
        if (!producer->sweeping)
            producer->ignored++;
        return false;
    case VMR_COLLECT_ANSWER:
        break;
    }
    if (verdict->response.reason != vmr_slot_first(slot)->event.reason ||
        !vmr_response_is_whole(&verdict->response) ||
        vmr_response_check(verdict->response.reason, verdict->response.flags,
                           producer->geo.verdicts)) {
        producer->ignored++;
        return false;
    }
    /* Without these it may be the neutral verdict: no flag at all. */
    verdict->response.flags &= ~XEN_VM_RING_FLAGS_VOID;
    verdict->by = VMR_BY_CONSUMER;
    retire(producer, vcpu, verdict);
    return true;
}

/* Of one group, what was fetched already.  Each bit is looked at once. */
static bool collect_group(struct vmr_producer *producer, uint32_t group,
                          struct vmr_verdict *verdict)
{
    struct vmr_bell_tx *bell = &producer->bells[group];
    uint32_t bit;

    while (vmr_bits_next(&bell->verdicts, 0, &bit)) {
        vmr_bits_clear(&bell->verdicts, bit);
        if (collect_one(producer, bit * producer->geo.nr_groups + group,
                        verdict))
            return true;
    }
    return false;
}

static bool collect_answer(struct vmr_producer *producer,
                           struct vmr_verdict *verdict)
{
    uint32_t nr_groups = producer->geo.nr_groups;

    if (!producer->attached)
        return false;
    for (uint32_t i = 0; i < nr_groups; i++) {
        if (collect_group(producer, producer->fetch, verdict))
            return true;
        if (!producer->sweeping && !producer->faulted) {
            if (!vmr_bell_fetch_answers(&producer->bells[producer->fetch]))
                producer->faulted = true;
            else if (collect_group(producer, producer->fetch, verdict))
                return true;
        }
        producer->fetch = (producer->fetch + 1) % nr_groups;
    }
    if (producer->sweeping) {
        producer->sweeping = producer->attached = false;
        for (uint32_t v = 0; v < producer->nr_vcpus; v++)
            vmr_slot_tx_detach(&producer->slots[v]);
        for (uint32_t i = 0; i < producer->nr_lanes; i++) {
            vmr_lane_tx_detach(&producer->lanes[i]);
            count_fault(producer, i);
        }
    }
    return false;
}

/* One vCPU's first request: is it too late for it? */
static bool expire_one(struct vmr_producer *producer, uint32_t vcpu,
                       uint64_t now, struct vmr_verdict *verdict)
{
    struct vmr_request *request = vmr_slot_first(&producer->slots[vcpu]);

    if (producer->release) {
        retire(producer, vcpu, verdict);
        neutral(verdict, producer->release);
        return true;
    }
    if (request->overdue)
        return false;
    if (request->deadline > now) {
        if (request->deadline < producer->scan_deadline)
            producer->scan_deadline = request->deadline;
        return false;
    }
    if (producer->pause_overdue) {
        request->overdue = true;
        verdict->request = *request;
        neutral(verdict, VMR_OVERDUE);
        return true;
    }
    retire(producer, vcpu, verdict);
    neutral(verdict, VMR_BY_DEADLINE);
    return true;
}

/* Goes through what is pending, once a deadline may have passed. */
static bool expire(struct vmr_producer *producer, uint64_t now,
                   struct vmr_verdict *verdict)
{
    uint32_t vcpu;

    if (now < producer->next_deadline)
        return false;
    while (vmr_bits_next(&producer->pending, producer->scan, &vcpu) &&
           vcpu >= producer->scan) {
        producer->scan = vcpu + 1;
        if (expire_one(producer, vcpu, now, verdict)) {
            if (producer->slots[vcpu].nr)
                producer->scan = vcpu;
            return true;
        }
    }
    producer->scan = 0;
    producer->next_deadline = producer->scan_deadline;
    producer->scan_deadline = VMR_NO_DEADLINE;
    if (producer->release)
        producer->next_deadline = 0; /* what comes goes at once, too */
    return false;
}

bool vmr_producer_collect(struct vmr_producer *producer, uint64_t now,
                          struct vmr_verdict *verdict)
{
    /* A sweep is over once it finds no answer: only then is it too late. */
    return collect_answer(producer, verdict) || expire(producer, now, verdict);
}

bool vmr_producer_arm(struct vmr_producer *producer)
{
    bool quiet = true;

    if (!producer->attached || producer->faulted)
        return true;
    for (uint32_t g = 0; g < producer->geo.nr_groups; g++)
        vmr_bell_arm_answers(&producer->bells[g]);
    for (uint32_t g = 0; g < producer->geo.nr_groups; g++) {
        struct vmr_bell_tx *bell = &producer->bells[g];

        if (!vmr_bell_fetch_answers(bell))
            producer->faulted = true;
        if (bell->verdicts.low != bell->verdicts.high)
            quiet = false;
    }
    if (quiet)
        return true;
    for (uint32_t g = 0; g < producer->geo.nr_groups; g++)
        vmr_bell_disarm_answers(&producer->bells[g]);
    return false;
}

void vmr_producer_set_target(struct vmr_producer *producer, uint64_t state,
                             uint64_t reason)
{
    if (!producer->header)
        return;
    /*
     * Left as it was while the target runs: who still sees that it had been
     * suspended must not find another reason with it.
     */
    if (state >= XEN_VM_RING_TARGET_SHUTDOWN)
        vmr_store_relaxed(&producer->header->shutdown_reason, reason);
    /* Pairs with the acquire load in vmr_consumer_target(). */
    vmr_store_release(&producer->header->target_state, state);
}

void vmr_producer_set_state(struct vmr_producer *producer, uint64_t state)
{
    /* Pairs with the acquire load in vmr_consumer_producer_state(). */
    if (producer->header)
        vmr_store_release(&producer->header->producer_state, state);
}
