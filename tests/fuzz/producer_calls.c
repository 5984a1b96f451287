/* SPDX-License-Identifier: MIT */
/* producer_calls.c: each call of the producer, and what must hold after it. */
#include "ring.h"
#include "rules.h"

#include "core/atomic.h"

#include <string.h>

/* Those that found the foreign lane taken: P has them as of the last flush. */
static uint64_t contended(const struct vmr_producer *tx,
                          const struct xen_vm_ring_lane *line, uint32_t lane)
{
    const struct vmr_foreign *foreign = &tx->foreign;

    if (lane < tx->nr_vcpus)
        return line->lost_contended;
    ALWAYS(line->lost_contended == foreign->published - foreign->base);
    ALWAYS(foreign->published <= foreign->contended);
    return foreign->contended - foreign->base;
}

/* The ledger, in P and in private: every attempt is one or the other. */
static void check_ledger(const struct ring *ring)
{
    const struct vmr_producer *tx = &ring->tx;
    const unsigned char *p = ring->areas[ring->epoch].p;
    uint64_t faults = 0, uncounted = 0;

    if (!tx->header || !ring_is_sound(ring, PRODUCER))
        return;
    for (uint32_t i = 0; i < ring->geo.nr_lanes; i++) {
        const struct vmr_lane_tx *lane = &tx->lanes[i];
        const struct xen_vm_ring_lane *line =
            (const void *)(p + ring->geo.lane_off + i * XEN_VM_RING_LANE);

        ALWAYS(line->head == lane->head && line->lost == lane->lost);
        ALWAYS(line->shown <= line->head);
        ALWAYS(line->head + line->lost + contended(tx, line, i) ==
               ring->members[i].attempts);
        ALWAYS(lane->cons <= lane->head);
        if (lane->loss_policy == XEN_VM_RING_POLICY_DISCARD)
            ALWAYS(lane->head - lane->cons <= lane->mask + 1);
        faults += lane->faulted;
        uncounted += i >= tx->nr_vcpus && lane->faulted && !lane->fault_counted;
    }
    /*
     * Where vCPUs push for themselves, faults are counted at the end, and those
     * of the foreign lane anywhere.
     */
    ALWAYS(tx->lane_faults <= ring->faults + faults);
    ALWAYS(ring->own || tx->lane_faults + uncounted == ring->faults + faults);
    ALWAYS(!faults || !ring->honest);
}

/* No deadline is slept past: the caller is told of the first of them. */
static void check_timer(const struct ring *ring)
{
    for (uint32_t v = 0; v < ring->geo.nr_vcpus; v++) {
        const struct queue *queue = &ring->members[v].queue;

        ALWAYS(ring->tx.slots[v].nr == queue->nr);
        if (!ring->by_vcpu && queue->nr && !queue->overdue)
            ALWAYS(ring->tx.next_deadline <= queue->deadlines[0]);
    }
}

void queue_add(struct queue *queue, const struct vmr_request *request)
{
    queue->cookies[queue->nr] = request->cookie;
    queue->deadlines[queue->nr++] = request->deadline;
}

void queue_take(struct queue *queue)
{
    queue->nr--;
    memmove(queue->cookies, queue->cookies + 1,
            queue->nr * sizeof(queue->cookies[0]));
    memmove(queue->deadlines, queue->deadlines + 1,
            queue->nr * sizeof(queue->deadlines[0]));
}

static void post(struct ring *ring, uint32_t vcpu, uint8_t arg)
{
    static const uint8_t reasons[] = {1, 4, 5, 6, 9, 10, 13, 15};
    struct queue *queue = &ring->members[vcpu].queue;
    struct vmr_request request = {
        .event = ring_event(reasons[arg % 8], vcpu, ring->next_cookie, arg & 8),
        .cookie = ring->next_cookie++,
        .deadline = arg & 16 ? VMR_NO_DEADLINE : ring->now + (arg >> 5),
    };
    bool posted;

    if (ring->by_vcpu) {
        vcpu_post(ring, vcpu, &request);
        return;
    }
    ring_enter(ring, PRODUCER, EVENT_WORDS + 1);
    posted = vmr_producer_post(&ring->tx, &request);
    ring_leave(ring, PRODUCER);
    ALWAYS(posted == (queue->nr < VMR_FIFO));
    if (posted)
        queue_add(queue, &request);
}

static void check_record(const struct ring *ring, uint32_t lane, uint64_t h)
{
    const struct vmr_geometry *geo = &ring->geo;
    const struct xen_vm_ring_event *record =
        (const void *)(ring->areas[ring->epoch].p + geo->record_off +
                       (lane * geo->nr_records + (h & (geo->nr_records - 1))) *
                           geo->record_len);

    ALWAYS(record->state == 2 * h + 2 && record->time == h);
    ALWAYS(record->lost == (uint32_t)ring->tx.lanes[lane].lost);
    ALWAYS(record->length <= geo->record_len);
    ALWAYS(ring_is_whole(record, lane));
}

enum how { PUSH, OWN, IN_PLACE };

/* The registers where they stay, one by one. */
static bool push_in_place(struct ring *ring, uint32_t lane,
                          const struct xen_vm_ring_event *event)
{
    union xen_vm_ring_tail *regs;

    if (!vmr_producer_reserve_own(&ring->tx, lane, event, &regs))
        return false;
    for (size_t i = 0; regs && i < XEN_VM_RING_REGS_LEN / 8; i++)
        vmr_store_relaxed(&regs->words[i], event->regs.words[i]);
    vmr_producer_commit_own(&ring->tx, lane);
    return true;
}

static void push(struct ring *ring, uint32_t lane, bool full, enum how how)
{
    struct vmr_lane_tx *tx = &ring->tx.lanes[lane];
    struct xen_vm_ring_event event;
    struct vmr_lane_tx before;
    bool published;

    if (!ring->tx.header)
        return;
    before = *tx;
    event = ring_event(XEN_VM_RING_REASON_CPUID, lane, before.head, full);
    /* Counted first: a consumer that looks meanwhile may see it. */
    ring->members[lane].attempts++;
    ring_enter(ring, PRODUCER, EVENT_WORDS + 14);
    published = how == PUSH  ? vmr_producer_push(&ring->tx, lane, &event)
                : how == OWN ? vmr_producer_push_own(&ring->tx, lane, &event)
                             : push_in_place(ring, lane, &event);
    ring_leave(ring, PRODUCER);
    ALWAYS(tx->head == before.head + published);
    ALWAYS(!before.faulted || tx->faulted);
    if (tx->loss_policy == XEN_VM_RING_POLICY_OVERWRITE)
        ALWAYS(published || ring->tx.foreign.lock);
    else
        ALWAYS(!published || !tx->faulted);
    if (published && ring_is_sound(ring, PRODUCER))
        check_record(ring, lane, before.head);
}

static void contended_push(struct ring *ring, uint8_t arg)
{
    ring->tx.foreign.lock = 1; /* another producer is in the middle of one */
    push(ring, ring->geo.nr_lanes - 1, arg & 1, PUSH);
    ring->tx.foreign.lock = 0;
}

void producer_rung(struct ring *ring, uint64_t groups)
{
    ALWAYS(ring->geo.nr_groups == 64 || !(groups >> ring->geo.nr_groups));
    for (; groups; groups &= groups - 1) {
        unsigned int g = (unsigned int)__builtin_ctzll(groups);

        ring->sleeps[g] = false;
        /* At most one doorbell for each arming. */
        ALWAYS(!ring->honest || ++ring->rings[g] <= ring->armings[g]);
    }
}

/* A vCPU as a thread of its own: its lane, and its word of hints. */
static void push_own(struct ring *ring, uint8_t arg)
{
    uint32_t lane = arg % ring->geo.nr_vcpus;
    bool rings;

    if (!ring->tx.header)
        return;
    ring->own = true;
    if (arg & 32)
        push(ring, lane, arg & 16, IN_PLACE);
    else
        push(ring, lane, false, OWN);
    if (arg & 64)
        return;
    ring_enter(ring, PRODUCER, 5);
    rings = vmr_producer_flush_own(&ring->tx, lane) == VMR_FLUSH_RING;
    ring_leave(ring, PRODUCER);
    if (rings)
        producer_rung(ring, 1ULL << vmr_group_of(&ring->geo, lane));
}

/* One bitmap of every group. */
static uint64_t word_steps(const struct ring *ring)
{
    return ring->geo.nr_groups * ring_bitmap_steps(&ring->geo);
}

static void flush(struct ring *ring)
{
    uint64_t groups;

    /* And each lane shows what it has. */
    ring_enter(ring, PRODUCER,
               2 * word_steps(ring) + 2 * ring->geo.nr_groups +
                   ring->geo.nr_lanes + 6);
    groups = vmr_producer_flush(&ring->tx);
    ring_leave(ring, PRODUCER);
    if (ring->tx.header)
        ALWAYS(ring->tx.foreign.published == ring->tx.foreign.contended);
    producer_rung(ring, groups);
}

static void set_target(struct ring *ring, uint8_t arg)
{
    uint64_t groups;

    ring_enter(ring, PRODUCER, 2 + 2 * ring->geo.nr_groups);
    vmr_producer_set_target(&ring->tx, arg % 4, arg);
    groups = vmr_producer_wake(&ring->tx);
    ring_leave(ring, PRODUCER);
    producer_rung(ring, groups);
}

void producer_check_neutral(const struct vmr_verdict *verdict)
{
    ALWAYS(verdict->response.flags == 0);
    ALWAYS(verdict->response.reason == verdict->request.event.reason);
}

/* Of the consumer: to what was asked, and nothing beyond its rights. */
void producer_check_answer(const struct ring *ring,
                           const struct vmr_verdict *verdict, uint64_t seq)
{
    const struct xen_vm_ring_response *response = &verdict->response;
    uint32_t vcpu = verdict->request.event.vcpu;
    const struct xen_vm_ring_response *given;

    ALWAYS(ring->c_is_open);
    ALWAYS((seq & 1) && response->seq == seq);
    ALWAYS(response->reason == verdict->request.event.reason);
    ALWAYS(rules_allow(response->reason, response->flags, ring->geo.verdicts));
    for (int i = 0; i < 3; i++)
        ALWAYS(response->reserved[i] == 0);
    /* Where nobody moved meanwhile it still stands there. */
    given = (const void *)(ring->areas[ring->epoch].c + ring->geo.response_off +
                           (uint64_t)vcpu * ring->geo.slot_len);
    if (ring->quiet)
        ALWAYS(given->seq == seq && given->reason == response->reason);
    if (!ring->honest)
        return;
    ALWAYS(ring->members[vcpu].answered_seq == seq);
    ALWAYS(ring->members[vcpu].answered == response->flags);
}

/* One verdict a request, in their order, and for nothing else. */
static void got(struct ring *ring, const struct vmr_verdict *verdict,
                const uint64_t *seqs)
{
    const struct xen_vm_ring_event *event = &verdict->request.event;
    struct queue *queue;

    ALWAYS(event->vcpu < ring->geo.nr_vcpus);
    queue = &ring->members[event->vcpu].queue;
    ALWAYS(queue->nr && queue->cookies[0] == verdict->request.cookie);
    ALWAYS(event->time == verdict->request.cookie);
    ALWAYS(ring_is_whole(event, event->vcpu));
    switch (verdict->by) {
    case VMR_BY_CONSUMER:
        producer_check_answer(ring, verdict, seqs[event->vcpu]);
        break;
    case VMR_BY_DEADLINE:
        ALWAYS(queue->deadlines[0] <= ring->now && !ring->tx.pause_overdue);
        producer_check_neutral(verdict);
        break;
    case VMR_BY_DETACH:
        ALWAYS(ring->tx.release && !ring->tx.sweeping);
        producer_check_neutral(verdict);
        break;
    case VMR_OVERDUE:
        ALWAYS(queue->deadlines[0] <= ring->now && ring->tx.pause_overdue);
        ALWAYS(!queue->overdue);
        producer_check_neutral(verdict);
        queue->overdue = true;
        return;
    default:
        ALWAYS(!"a verdict for no reason");
    }
    queue->overdue = false;
    queue_take(queue);
}

static bool collect(struct ring *ring)
{
    static uint64_t seqs[MAX_MEMBERS];
    /*
     * So many slots at most, each for an old hint or a new one; before them one
     * that it may be too late for.
     */
    uint64_t looks = 2ULL * ring->geo.nr_vcpus < VMR_COLLECT_LOOKS
                         ? 2ULL * ring->geo.nr_vcpus
                         : VMR_COLLECT_LOOKS;
    uint64_t limit = (looks + 1) * ANSWER_STEPS + word_steps(ring) +
                     ring->geo.nr_lanes + EVENT_WORDS + 6;
    struct vmr_verdict verdict;
    bool given;

    ring->tx_sleeps = false;
    ring->quiet = ring->nr_moves == 0;
    for (uint32_t v = 0; v < ring->geo.nr_vcpus; v++)
        seqs[v] = ring->tx.slots[v].seq;
    ring_enter(ring, PRODUCER, limit);
    given = vmr_producer_collect(&ring->tx, ring->now, &verdict);
    ring_leave(ring, PRODUCER);
    if (given)
        got(ring, &verdict, seqs);
    return given;
}

static void arm(struct ring *ring)
{
    bool asleep;

    for (uint32_t g = 0; g < ring->geo.nr_groups; g++)
        ring->tx_armings[g]++;
    ring->tx_sleeps = true; /* unless it is rung meanwhile */
    ring_enter(ring, PRODUCER, word_steps(ring) + 2 * ring->geo.nr_groups);
    asleep = vmr_producer_arm(&ring->tx);
    ring_leave(ring, PRODUCER);
    if (!asleep)
        ring->tx_sleeps = false;
}

/* All verdicts that there are; there is an end of them. */
static void collect_all(struct ring *ring)
{
    uint32_t most = 2;

    for (uint32_t v = 0; v < ring->geo.nr_vcpus; v++)
        most += 2 * ring->members[v].queue.nr;
    while (most && collect(ring))
        most--;
    ALWAYS(most);
}

static void lose_consumer(struct ring *ring)
{
    if (ring->by_vcpu)
        vcpu_lose_consumer(ring);
    if (!ring->tx.attached)
        return;
    vmr_producer_sweep(&ring->tx);
    /* A call looks at some slots only, and gives nothing if they have none. */
    for (uint32_t v = 0; v <= ring->geo.nr_vcpus; v += VMR_COLLECT_LOOKS)
        collect_all(ring);
    ALWAYS(!ring->tx.attached && !ring->tx.sweeping);
}

void producer_end_epoch(struct ring *ring)
{
    for (uint32_t i = 0; i < ring->geo.nr_lanes; i++)
        ring->faults += ring->tx.lanes[i].faulted;
    ALWAYS(ring->tx.lane_faults == ring->faults);
    ring->own = false;
    ring->epoch++;
}

/* A new epoch, in fresh regions; the old ones are out of bounds now. */
bool producer_attach(struct ring *ring)
{
    struct area *area;

    if (ring->tx.header && ring->epoch + 1 == MAX_EPOCHS)
        return false;
    lose_consumer(ring);
    ring->attached = false;
    ring_enter(ring, PRODUCER, ring->geo.nr_lanes + 8);
    ALWAYS(vmr_producer_freeze(&ring->tx));
    ring_leave(ring, PRODUCER);
    if (ring->tx.header)
        producer_end_epoch(ring);
    area = ring_area(ring);
    for (uint32_t i = 0; i < ring->geo.nr_lanes; i++)
        ring->members[i].attempts = 0;
    memset(ring->tx_armings, 0, sizeof(ring->tx_armings));
    memset(ring->tx_rings, 0, sizeof(ring->tx_rings));
    ring->tx_sleeps = false;
    memset(ring->deaf, 0, sizeof(ring->deaf));
    ring->geo.epoch = ring->epoch + 1;
    vmr_geometry_publish(&ring->geo, (void *)area->p);
    ring_enter(ring, PRODUCER, (uint64_t)ring->geo.nr_vcpus * EVENT_WORDS + 4);
    vmr_producer_attach(&ring->tx, &ring->geo, area->p, area->c);
    ring_leave(ring, PRODUCER);
    for (uint32_t v = 0; v < ring->geo.nr_vcpus; v++)
        ALWAYS(!ring->members[v].queue.settled || !(ring->tx.slots[v].seq & 1));
    return true;
}

static void burst(struct ring *ring, uint8_t arg)
{
    for (uint8_t i = 0; i < arg % 32; i++)
        push(ring, arg / 32 % ring->geo.nr_lanes, false, PUSH);
}

static void act(struct ring *ring, uint8_t what, uint8_t arg)
{
    switch (what % 16) {
    case 0:
    case 1:
        push(ring, arg % ring->geo.nr_lanes, what & 16, PUSH);
        break;
    case 2:
    case 3:
        flush(ring);
        break;
    case 4:
    case 5:
        ring->now += arg % 4;
        collect(ring);
        break;
    case 6:
        arm(ring);
        break;
    case 7:
        set_target(ring, arg);
        break;
    case 8:
        burst(ring, arg);
        break;
    case 9:
        if (arg & 128)
            push_own(ring, arg);
        else if (ring->geo.nr_lanes > ring->geo.nr_vcpus)
            contended_push(ring, arg);
        break;
    case 10:
        if (arg == 1)
            vmr_producer_sweep(&ring->tx);
        if (arg == 2 && !ring->tx.attached)
            vmr_producer_release(&ring->tx);
        if (arg == 3)
            ring->tx.pause_overdue = true;
        break;
    case 11:
        ring->now += arg % 4;
        collect_all(ring);
        flush(ring);
        arm(ring);
        break;
    default:
        post(ring, what / 16 % ring->geo.nr_vcpus, arg);
        break;
    }
}

void producer_act(struct ring *ring, uint8_t what, uint8_t arg)
{
    if (!ring->by_vcpu || !vcpu_act(ring, what, arg))
        act(ring, what, arg);
    check_ledger(ring);
    check_timer(ring);
}

void producer_finish(struct ring *ring)
{
    if (ring->by_vcpu) {
        vcpu_finish(ring);
        return;
    }
    lose_consumer(ring);
    vmr_producer_release(&ring->tx);
    /* A pass that was under way ends; the one after it is whole. */
    collect_all(ring);
    collect_all(ring);
    for (uint32_t v = 0; v < ring->geo.nr_vcpus; v++)
        ALWAYS(!ring->members[v].queue.nr);
    check_ledger(ring);
}
