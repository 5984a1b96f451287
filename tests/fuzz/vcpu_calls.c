/* SPDX-License-Identifier: MIT */
/*
 * vcpu_calls.c: the calls of vCPUs that post and collect by themselves, in the
 * place of post, collect, sweep and arm, and what must hold after each.
 */
#include "core/vcpu.h"

#include "ring.h"

#include <string.h>

static void told(struct ring *ring, uint32_t vcpu, enum vmr_flush flush)
{
    ALWAYS(flush == VMR_FLUSH_QUIET || flush == VMR_FLUSH_RING);
    if (flush == VMR_FLUSH_RING)
        producer_rung(ring, 1ULL << vmr_group_of(&ring->geo, vcpu));
}

/* What a post or a retire may do: a request is shown and told of. */
#define SHOW_STEPS (EVENT_WORDS + 6)

void vcpu_post(struct ring *ring, uint32_t vcpu,
               const struct vmr_request *request)
{
    struct queue *queue = &ring->members[vcpu].queue;
    struct vmr_request *place = vmr_vcpu_reserve(&ring->tx, vcpu);
    enum vmr_flush flush;

    ALWAYS(!place == (queue->nr == VMR_FIFO));
    if (!place)
        return;
    *place = *request;
    ring_enter(ring, PRODUCER, SHOW_STEPS);
    flush = vmr_vcpu_post(&ring->tx, vcpu);
    ring_leave(ring, PRODUCER);
    told(ring, vcpu, flush);
    queue_add(queue, request);
}

static void retire(struct ring *ring, uint32_t vcpu)
{
    struct queue *queue = &ring->members[vcpu].queue;
    enum vmr_flush flush;

    ring_enter(ring, PRODUCER, SHOW_STEPS);
    flush = vmr_vcpu_retire(&ring->tx, vcpu);
    ring_leave(ring, PRODUCER);
    told(ring, vcpu, flush);
    queue_take(queue);
    queue->settled -= queue->settled > 0;
    queue->is_kept = false;
}

static void check_verdict(const struct ring *ring, uint32_t vcpu,
                          const struct vmr_verdict *verdict, uint64_t seq)
{
    const struct member *member = &ring->members[vcpu];
    const struct queue *queue = &member->queue;
    const struct xen_vm_ring_event *event = &verdict->request.event;

    ALWAYS(queue->nr && queue->cookies[0] == verdict->request.cookie);
    ALWAYS(event->vcpu == vcpu && event->time == verdict->request.cookie);
    ALWAYS(ring_is_whole(event, vcpu));
    switch (verdict->by) {
    case VMR_BY_CONSUMER:
        if (queue->is_kept)
            ALWAYS(memcmp(&verdict->response, &member->kept,
                          sizeof(member->kept)) == 0);
        else
            producer_check_answer(ring, verdict, seq);
        break;
    case VMR_BY_DEADLINE:
        ALWAYS(queue->deadlines[0] <= ring->now && !queue->settled);
        producer_check_neutral(verdict);
        break;
    case VMR_BY_DETACH:
        ALWAYS(queue->settled && !queue->is_kept);
        producer_check_neutral(verdict);
        break;
    default:
        ALWAYS(!"a verdict for no reason");
    }
}

/* true: the vCPU's first request has its verdict. */
static bool collect(struct ring *ring, uint32_t vcpu)
{
    const struct queue *queue = &ring->members[vcpu].queue;
    uint64_t seq = ring->tx.slots[vcpu].seq;
    const struct vmr_request *request;
    struct vmr_verdict verdict;

    ring->members[vcpu].sleeps = false;
    ring->quiet = ring->nr_moves == 0;
    ring_enter(ring, PRODUCER, ANSWER_STEPS + 1);
    request = vmr_vcpu_collect(&ring->tx, vcpu, ring->now, &verdict.response,
                               &verdict.by);
    ring_leave(ring, PRODUCER);
    ALWAYS(ring->tx.slots[vcpu].seq == seq);
    if (!request) {
        ALWAYS(!queue->settled);
        ALWAYS(!queue->nr || queue->deadlines[0] > ring->now);
        return false;
    }
    verdict.request = *request;
    check_verdict(ring, vcpu, &verdict, seq);
    return true;
}

/* All that it has a verdict for. */
static void collect_all(struct ring *ring, uint32_t vcpu)
{
    while (collect(ring, vcpu))
        retire(ring, vcpu);
}

/* It has looked in vain, before whatever came since. */
static void mark(struct ring *ring, uint32_t vcpu)
{
    struct member *member = &ring->members[vcpu];
    uint64_t seq;
    bool due;

    member->sleeps = true; /* for all to see, unless it is woken meanwhile */
    ring_enter(ring, PRODUCER, 1);
    due = vmr_vcpu_is_due(&ring->tx, vcpu);
    ring_leave(ring, PRODUCER);
    ALWAYS(vmr_vcpu_is_settled(&ring->tx, vcpu) == !!member->queue.settled);
    ALWAYS(due || !member->queue.settled);
    if (!due)
        return;
    member->sleeps = false;
    if (member->queue.settled)
        return;
    /* Once for an answer; of good will, it is there. */
    seq = ring->tx.slots[vcpu].seq;
    ALWAYS(member->due_seq != seq);
    member->due_seq = seq;
    ALWAYS(collect(ring, vcpu) || !ring->honest);
}

static void go_to_sleep(struct ring *ring, uint32_t vcpu)
{
    collect_all(ring, vcpu);
    mark(ring, vcpu);
}

/* false: there is no hint. */
static bool wake_one(struct ring *ring, uint32_t group)
{
    uint32_t vcpu;
    bool any;

    ring_enter(ring, PRODUCER, ring_bitmap_steps(&ring->geo));
    any = vmr_group_answered(&ring->tx, group, &vcpu);
    ring_leave(ring, PRODUCER);
    if (!any)
        return false;
    ALWAYS(vcpu < ring->geo.nr_vcpus);
    ALWAYS(vmr_group_of(&ring->geo, vcpu) == group);
    ring->members[vcpu].sleeps = false;
    return true;
}

static bool arm(struct ring *ring, uint32_t group)
{
    bool asleep;

    ring->tx_armings[group]++;
    ring->deaf[group] = true; /* unless it is rung meanwhile */
    ring_enter(ring, PRODUCER, ring_bitmap_steps(&ring->geo) + 2);
    asleep = vmr_group_arm(&ring->tx, group);
    ring_leave(ring, PRODUCER);
    if (!asleep)
        ring->deaf[group] = false;
    return asleep;
}

/* As whoever hears of answers: all hints of a moment, then to sleep. */
static void hear(struct ring *ring, uint32_t group)
{
    uint32_t nr = (ring->geo.nr_vcpus - group + ring->geo.nr_groups - 1) /
                  ring->geo.nr_groups;
    bool quiet = ring->nr_moves == 0;
    uint32_t most = 2 * nr; /* of before, and of now */

    ring->deaf[group] = false;
    while (most && wake_one(ring, group))
        most--;
    ALWAYS(most || !quiet || !wake_one(ring, group));
    ALWAYS(arm(ring, group) || !quiet);
}

/* What a consumer that has gone has answered is kept. */
void vcpu_lose_consumer(struct ring *ring)
{
    if (!ring->tx.attached)
        return;
    ring->quiet = ring->nr_moves == 0;
    for (uint32_t v = 0; v < ring->geo.nr_vcpus; v++) {
        struct member *member = &ring->members[v];
        uint64_t seq = ring->tx.slots[v].seq;
        struct vmr_verdict verdict = {.by = VMR_BY_CONSUMER};
        struct xen_vm_ring_response *to =
            member->queue.settled ? &verdict.response : &member->kept;
        bool is_kept;

        ring_enter(ring, PRODUCER, ANSWER_STEPS + 1);
        is_kept = vmr_vcpu_keep(&ring->tx, v, to);
        ring_leave(ring, PRODUCER);
        ALWAYS(!is_kept || !member->queue.settled);
        if (!is_kept)
            continue;
        verdict.request = *vmr_vcpu_first(&ring->tx, v);
        verdict.response = member->kept;
        check_verdict(ring, v, &verdict, seq);
        member->queue.is_kept = true;
        member->queue.settled = 1;
    }
    ring_enter(ring, PRODUCER, ring->geo.nr_lanes + 6);
    ALWAYS(vmr_producer_let_go(&ring->tx));
    ring_leave(ring, PRODUCER);
    ALWAYS(!ring->tx.attached);
}

static void release(struct ring *ring)
{
    for (uint32_t v = 0; v < ring->geo.nr_vcpus; v++) {
        vmr_vcpu_release(&ring->tx, v);
        ring->members[v].queue.settled = ring->members[v].queue.nr;
    }
}

/* P and C are out of bounds from now on; the next are others. */
static void leave(struct ring *ring)
{
    if (!ring->tx.header || ring->epoch + 1 == MAX_EPOCHS)
        return;
    vcpu_lose_consumer(ring);
    ring->attached = false;
    ring_enter(ring, PRODUCER, ring->geo.nr_lanes + 8);
    ALWAYS(vmr_producer_leave(&ring->tx));
    ring_leave(ring, PRODUCER);
    producer_end_epoch(ring);
    ALWAYS(!ring->tx.header);
}

/* false: it is a call that there is for both. */
bool vcpu_act(struct ring *ring, uint8_t what, uint8_t arg)
{
    uint32_t vcpu = arg / 4 % ring->geo.nr_vcpus;

    switch (what % 16) {
    case 4:
        ring->now += arg % 4;
        if (collect(ring, vcpu) && !(arg & 128))
            retire(ring, vcpu);
        return true;
    case 5:
        ring->now += arg % 4;
        if (arg & 128)
            mark(ring, vcpu);
        else
            go_to_sleep(ring, vcpu);
        return true;
    case 6:
        if (ring->tx.header)
            hear(ring, arg % ring->geo.nr_groups);
        return true;
    case 10:
        if (arg == 1)
            vcpu_lose_consumer(ring);
        if (arg == 2 && !ring->tx.attached)
            release(ring);
        if (arg == 3)
            leave(ring);
        return true;
    case 11:
        ring->now += arg % 4;
        for (uint32_t v = 0; v < ring->geo.nr_vcpus; v++)
            go_to_sleep(ring, v);
        for (uint32_t g = 0; ring->tx.header && g < ring->geo.nr_groups; g++)
            hear(ring, g);
        return true;
    default:
        return false;
    }
}

void vcpu_finish(struct ring *ring)
{
    vcpu_lose_consumer(ring);
    release(ring);
    for (uint32_t v = 0; v < ring->geo.nr_vcpus; v++) {
        collect_all(ring, v);
        ALWAYS(!vmr_vcpu_first(&ring->tx, v));
    }
}
