/* SPDX-License-Identifier: MIT */
/* producer.c: the producer's memory, its epochs, and what it posts and pushes.
 */
#include "lane_push.h"
#include "producer_parts.h"

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

/* Not by an empty one: a compiler may build that on the stack; it is large. */
static void clear(struct vmr_producer *producer)
{
    unsigned char *bytes = (void *)producer;

    for (size_t i = 0; i < sizeof(*producer); i++)
        bytes[i] = 0;
}

void vmr_producer_init(struct vmr_producer *producer, void *memory,
                       uint32_t nr_vcpus, uint32_t nr_lanes)
{
    unsigned char *at = first_line(memory);
    struct vmr_request *fifo;

    clear(producer);
    producer->nr_vcpus = nr_vcpus;
    producer->nr_lanes = nr_lanes;
    producer->next_deadline = VMR_NO_DEADLINE;
    producer->scan_deadline = VMR_NO_DEADLINE;
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

void vmr_post_next(struct vmr_producer *producer, uint32_t vcpu)
{
    if (vmr_slot_post(&producer->slots[vcpu]))
        vmr_bits_set(&vmr_bell_of(producer, vcpu)->requests,
                     vmr_bit_of(&producer->geo, vcpu));
}

bool vmr_producer_freeze(struct vmr_producer *producer)
{
    if (!producer->header)
        return true;
    if (vmr_has_foreign(producer) && !vmr_foreign_freeze(producer))
        return false;
    for (uint32_t v = 0; v < producer->nr_vcpus; v++) {
        vmr_lane_freeze(&producer->lanes[v]);
        vmr_count_fault(producer, v);
    }
    vmr_producer_set_state(producer, XEN_VM_RING_PRODUCER_FROZEN);
    return true;
}

void vmr_producer_thaw(struct vmr_producer *producer)
{
    if (!producer->header)
        return;
    if (vmr_has_foreign(producer))
        vmr_foreign_reopen(producer);
    vmr_producer_set_state(producer, XEN_VM_RING_PRODUCER_LIVE);
}

void vmr_producer_attach(struct vmr_producer *producer,
                         const struct vmr_geometry *geo, void *p, void *c)
{
    uint32_t nr_words = 3 * vmr_bitmap_words(geo, geo->nr_lanes);
    bool first = !producer->header;

    producer->geo = *geo;
    producer->header = p;
    for (uint32_t g = 0; g < geo->nr_groups; g++) {
        vmr_bell_tx_init(&producer->bells[g], geo, g, p, c,
                         producer->bell_words + (size_t)g * nr_words);
        /* All groups share the count: a failed LL/SC cannot tell their words
         * apart. */
        producer->bells[g].ours = &producer->rmws;
    }
    for (uint32_t i = 0; i < producer->nr_lanes; i++)
        vmr_lane_tx_init(&producer->lanes[i], geo, i, p, c);
    for (uint32_t v = 0; v < producer->nr_vcpus; v++) {
        vmr_slot_tx_attach(&producer->slots[v], geo, v, p, c);
        vmr_post_next(producer, v);
    }
    producer->attached = true;
    producer->sweeping = false;
    producer->release = 0;
    producer->broken = producer->again = false;
    producer->fetch = 0;
    if (vmr_has_foreign(producer))
        vmr_foreign_open(producer, first);
}

void vmr_producer_sweep(struct vmr_producer *producer)
{
    if (!producer->attached)
        return;
    for (uint32_t v = 0; v < producer->nr_vcpus; v++)
        if (producer->slots[v].nr)
            vmr_bits_set(&vmr_bell_of(producer, v)->fetched,
                         vmr_bit_of(&producer->geo, v));
    producer->sweeping = true;
}

bool vmr_let_go(struct vmr_producer *producer)
{
    if (vmr_has_foreign(producer) && !vmr_foreign_detach(producer))
        return false;
    producer->attached = false;
    for (uint32_t v = 0; v < producer->nr_vcpus; v++) {
        vmr_slot_tx_detach(&producer->slots[v]);
        vmr_lane_tx_detach(&producer->lanes[v]);
        vmr_count_fault(producer, v);
    }
    return true;
}

void vmr_producer_release(struct vmr_producer *producer)
{
    producer->release = VMR_BY_DETACH;
    producer->next_deadline = 0;
}

bool vmr_producer_post(struct vmr_producer *producer,
                       const struct vmr_request *request)
{
    uint32_t vcpu = request->event.vcpu;

    if (!vmr_slot_add(&producer->slots[vcpu], request))
        return false;
    vmr_bits_set(&producer->pending, vcpu);
    vmr_expect_by(producer, request->deadline);
    vmr_post_next(producer, vcpu);
    return true;
}

/*
 * What is called for every record has little to save, so that all that is
 * seldom is apart.
 */
#define SELDOM static __attribute__((__noinline__))

SELDOM bool push_elsewhere(struct vmr_producer *producer, uint32_t lane,
                           const struct xen_vm_ring_event *event)
{
    return lane >= producer->nr_vcpus && vmr_foreign_push(producer, event);
}

/* With registers, or the first since a flush, which is to tell of the lane. */
SELDOM bool push_another(struct vmr_producer *producer, struct vmr_lane_tx *tx,
                         const struct xen_vm_ring_event *event)
{
    vmr_lane_push_into_room(tx, event);
    if (!tx->untold) {
        tx->untold = true;
        vmr_bits_set(&producer->bells[tx->group].lanes, tx->bit);
    }
    return true;
}

SELDOM bool push_into_full(struct vmr_producer *producer, uint32_t lane,
                           const struct xen_vm_ring_event *event)
{
    struct vmr_lane_tx *tx = &producer->lanes[lane];

    if (vmr_lane_make_room(tx))
        return push_another(producer, tx, event);
    /* A loss is told with the next record: nothing to look at for it. */
    vmr_count_fault(producer, lane);
    return false;
}

bool vmr_producer_push(struct vmr_producer *producer, uint32_t lane,
                       const struct xen_vm_ring_event *event)
{
    struct vmr_lane_tx *tx = &producer->lanes[lane];

    if (lane >= producer->nr_vcpus || !producer->header)
        return push_elsewhere(producer, lane, event);
    if (!vmr_lane_has_room(tx))
        return push_into_full(producer, lane, event);
    if (event->length != XEN_VM_RING_EVENT_HEAD || !tx->untold)
        return push_another(producer, tx, event);
    vmr_lane_push_line(tx, event);
    return true;
}

SELDOM bool push_own_another(struct vmr_lane_tx *tx,
                             const struct xen_vm_ring_event *event)
{
    if (!vmr_lane_push(tx, event))
        return false;
    tx->own_untold = true;
    return true;
}

bool vmr_producer_push_own(struct vmr_producer *producer, uint32_t lane,
                           const struct xen_vm_ring_event *event)
{
    struct vmr_lane_tx *tx = &producer->lanes[lane];

    if (!producer->header)
        return false;
    if (!vmr_lane_has_room(tx) || event->length != XEN_VM_RING_EVENT_HEAD)
        return push_own_another(tx, event);
    vmr_lane_push_line(tx, event);
    tx->own_untold = true;
    return true;
}

bool vmr_producer_reserve_own(struct vmr_producer *producer, uint32_t lane,
                              const struct xen_vm_ring_event *event,
                              union xen_vm_ring_tail **regs)
{
    return producer->header &&
           vmr_lane_reserve(&producer->lanes[lane], event, regs);
}

void vmr_producer_commit_own(struct vmr_producer *producer, uint32_t lane)
{
    struct vmr_lane_tx *tx = &producer->lanes[lane];

    vmr_lane_commit(tx);
    tx->own_untold = true;
}

enum vmr_flush vmr_producer_flush_own(struct vmr_producer *producer,
                                      uint32_t lane)
{
    struct vmr_lane_tx *tx = &producer->lanes[lane];
    enum vmr_flush flush;

    if (!tx->own_untold || tx->kept_from || !producer->attached)
        return VMR_FLUSH_QUIET;
    vmr_lane_show(tx);
    flush = vmr_bell_flush_lane(&producer->bells[tx->group], tx->bit,
                                &tx->own_owed);
    tx->own_untold = flush == VMR_FLUSH_AGAIN;
    /* It harms itself: its lane is told of no more. */
    tx->kept_from = flush == VMR_FLUSH_BROKEN;
    return flush;
}

/*
 * One bell after the other.  By a flag, as a hypervisor may not call by
 * pointers that it has not prepared for it.
 */
static uint64_t each_bell(struct vmr_producer *producer, bool wake)
{
    uint64_t ring = 0;

    producer->again = false;
    if (!producer->attached || producer->broken)
        return 0;
    for (uint32_t g = 0; g < producer->geo.nr_groups; g++) {
        struct vmr_bell_tx *bell = &producer->bells[g];

        switch (wake ? vmr_bell_wake(bell) : vmr_bell_flush(bell)) {
        case VMR_FLUSH_RING:
            ring |= 1ULL << g;
            break;
        case VMR_FLUSH_BROKEN:
            producer->broken = true;
            break;
        case VMR_FLUSH_AGAIN:
        case VMR_FLUSH_QUIET:
            break;
        }
        if (vmr_bell_is_owing(bell))
            producer->again = true;
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

        /* The foreign lane shows itself. */
        if (lane >= producer->nr_vcpus)
            return;
        producer->lanes[lane].untold = false;
        vmr_lane_show(&producer->lanes[lane]);
    }
}

uint64_t vmr_producer_flush(struct vmr_producer *producer)
{
    if (producer->attached)
        for (uint32_t g = 0; g < producer->geo.nr_groups; g++)
            show_untold(producer, g);
    if (producer->header && vmr_has_foreign(producer))
        vmr_foreign_tell(producer);
    return each_bell(producer, false);
}

uint64_t vmr_producer_wake(struct vmr_producer *producer)
{
    return each_bell(producer, true);
}

void vmr_producer_set_target(struct vmr_producer *producer, uint64_t state,
                             uint64_t reason)
{
    if (!producer->header)
        return;
    /*
     * Left as it was while the target runs: a reader that still sees
     * "suspended" must not find another reason with it.
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
