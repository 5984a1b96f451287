/* SPDX-License-Identifier: MIT */
/* events.c: events in, verdicts out. */
#include "events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "peers.h"
#include "slices.h"

/* Flags of an event that the ring sets, and not its source. */
#define OURS (XEN_VM_RING_FLAG_REPOSTED | XEN_VM_RING_FLAG_REGS_CUT)

/* Tries to arm for answers while a consumer sets hints for nothing. */
#define MAX_ARMINGS 8

static bool is_event(const struct vmring_producer *producer, uint32_t lane,
                     const struct xen_vm_ring_event *event)
{
    return lane < producer->nr_lanes &&
           event->reason < XEN_VM_RING_NR_REASONS &&
           (event->length == XEN_VM_RING_EVENT_HEAD ||
            event->length == XEN_VM_RING_EVENT_FULL);
}

/* A verdict that the ring cannot hold the request of. */
static int queue_overflow(struct vmring_producer *producer,
                          const struct vmr_request *request)
{
    struct vmring_verdict *verdict;

    if (producer->first_overflow &&
        producer->first_overflow >= producer->nr_overflow) {
        /* Each is moved once for one that was taken before it. */
        memcpy(producer->overflow,
               producer->overflow + producer->first_overflow,
               producer->nr_overflow * sizeof(*producer->overflow));
        producer->first_overflow = 0;
    }
    if (producer->first_overflow + producer->nr_overflow ==
        producer->max_overflow) {
        size_t max = producer->max_overflow ? 2 * producer->max_overflow : 8;
        void *more =
            realloc(producer->overflow, max * sizeof(*producer->overflow));

        if (!more)
            return -ENOMEM;
        producer->overflow = more;
        producer->max_overflow = max;
    }
    verdict =
        &producer->overflow[producer->first_overflow + producer->nr_overflow++];
    *verdict = (struct vmring_verdict){
        .event = request->event,
        .cookie = request->cookie,
        .by = VMRING_BY_OVERFLOW,
    };
    verdict->response.reason = request->event.reason;
    verdict->response.altp2m_idx = request->event.altp2m_idx;
    return 0;
}

/* Beyond the end of time there is none. */
static uint64_t deadline_of(uint64_t time, uint64_t within)
{
    return within > VMR_NO_DEADLINE - time ? VMR_NO_DEADLINE : time + within;
}

int vmring_producer_post(struct vmring_producer *producer,
                         const struct xen_vm_ring_event *event, uint64_t cookie)
{
    struct vmr_request request = {.event = *event, .cookie = cookie};
    int err = 0;

    if (event->vcpu >= producer->nr_vcpus ||
        !is_event(producer, event->vcpu, event))
        return -EINVAL;
    request.event.time = clock_ns();
    request.event.lost = 0;
    request.event.flags &= ~OURS;
    request.deadline =
        deadline_of(request.event.time, producer->accepted_deadline);
    if (!vmr_producer_post(&producer->core, &request))
        err = queue_overflow(producer, &request);
    if (err)
        return err;
    tally_of(producer, event->vcpu, event->reason)->requests++;
    producer->stats.requests++;
    producer->nr_pending++;
    return 0;
}

int vmring_producer_push(struct vmring_producer *producer, unsigned int lane,
                         const struct xen_vm_ring_event *event)
{
    struct xen_vm_ring_event record;
    struct tally *tally;

    if (!is_event(producer, lane, event))
        return -EINVAL;
    if (event->length == XEN_VM_RING_EVENT_FULL)
        record = *event;
    else
        memcpy(&record, event, XEN_VM_RING_EVENT_HEAD);
    record.time = clock_ns();
    record.flags &= ~OURS;
    if (lane == producer->nr_vcpus)
        record.flags |= XEN_VM_RING_FLAG_FOREIGN;
    tally = tally_of(producer, lane, event->reason);
    tally->records++;
    producer->stats.records++;
    if (vmr_producer_push(&producer->core, lane, &record))
        return 1;
    tally->discarded++;
    producer->stats.discarded++;
    return 0;
}

void events_ring(struct vmring_producer *producer, uint64_t groups)
{
    struct peer *peer = producer->session.peer;

    for (; groups && peer; groups &= groups - 1)
        if (peer->ops->kick(peer, (uint32_t)__builtin_ctzll(groups)))
            producer->stats.doorbells_sent++;
}

void vmring_producer_flush(struct vmring_producer *producer)
{
    events_ring(producer, vmr_producer_flush(&producer->core));
}

static void account(struct vmring_producer *producer,
                    const struct vmring_verdict *verdict)
{
    struct tally *tally =
        tally_of(producer, verdict->event.vcpu, verdict->event.reason);

    switch (verdict->by) {
    case VMRING_OVERDUE:
        return;
    case VMRING_BY_CONSUMER:
        producer->stats.answered++;
        tally->answered++;
        if (producer->session.peer)
            budget_earn(&producer->session.peer->rung);
        break;
    case VMRING_BY_DEADLINE:
        producer->stats.by_deadline++;
        tally->defaulted++;
        break;
    case VMRING_BY_DETACH:
        producer->stats.by_detach++;
        tally->defaulted++;
        break;
    case VMRING_BY_OVERFLOW:
        producer->stats.by_overflow++;
        tally->defaulted++;
        break;
    }
    producer->nr_pending--;
}

/*
 * One that has detached gives its requests up, as soon as its answers are
 * swept: their verdicts come behind the last of those.
 */
static bool release_swept(struct vmring_producer *producer)
{
    struct session *session = &producer->session;

    if (!session->releasing || producer->core.attached)
        return false;
    session->releasing = false;
    vmr_producer_release(&producer->core);
    return true;
}

static bool collect_one(struct vmring_producer *producer,
                        struct vmring_verdict *verdict)
{
    struct vmr_verdict from;

    if (producer->nr_overflow) {
        *verdict = producer->overflow[producer->first_overflow++];
        if (!--producer->nr_overflow)
            producer->first_overflow = 0;
        account(producer, verdict);
        return true;
    }
    if (!vmr_producer_collect(&producer->core, clock_ns(), &from) &&
        (!release_swept(producer) ||
         !vmr_producer_collect(&producer->core, clock_ns(), &from)))
        return false;
    verdict->event = from.request.event;
    verdict->response = from.response;
    verdict->cookie = from.request.cookie;
    verdict->by = from.by;
    verdict->was_overdue = from.request.overdue && from.by != VMR_OVERDUE;
    account(producer, verdict);
    return true;
}

unsigned int events_control_due(const struct vmring_producer *producer)
{
    const struct session *session = &producer->session;
    unsigned int due = 0;

    if (session->leaving)
        return producer->core.attached ? 0 : DUE_FORGET;
    if (session->counting)
        due |= DUE_COUNTS;
    if (session->quiescing && producer->nr_pending == 0 &&
        source_is_quiet(producer))
        due |= DUE_QUIET;
    if ((session->subscribing || session->held) && !source_is_arming(producer))
        due |= DUE_SUBSCRIBED;
    return due;
}

/*
 * The control plane's turn comes next, if there is anything to do. A consumer
 * that does not read keeps nobody awake: not at once for what was not sent.
 */
static void wake_for_control(struct vmring_producer *producer)
{
    unsigned int due = events_control_due(producer);

    if (due & ~producer->session.unsent ||
        (due && clock_ns() >= producer->session.retry))
        slices_due(producer, true);
}

int vmring_producer_collect(struct vmring_producer *producer,
                            struct vmring_verdict *verdict)
{
    if (collect_one(producer, verdict))
        return 1;
    /* What waited behind a verdict has been posted. */
    vmring_producer_flush(producer);
    producer->session.collected = true;
    wake_for_control(producer);
    /*
     * What arming finds may be no answer at all, and it has disarmed then: so
     * again, a bounded number of times, or come back at once.
     */
    producer->unarmed = false;
    for (int i = 0; i < MAX_ARMINGS; i++) {
        if (vmr_producer_arm(&producer->core))
            return 0;
        if (collect_one(producer, verdict))
            return 1;
    }
    producer->unarmed = true;
    return 0;
}

int vmring_producer_timeout(const struct vmring_producer *producer)
{
    uint64_t deadline = producer->core.next_deadline;
    uint64_t now, ms;

    if (producer->nr_overflow || producer->core.sweeping || producer->unarmed ||
        peers_are_over(producer))
        return 0;
    if (!producer->nr_pending || deadline == VMR_NO_DEADLINE)
        return -1;
    now = clock_ns();
    if (deadline <= now)
        return 0;
    ms = (deadline - now + 999999) / 1000000;
    return ms > 3600000 ? 3600000 : (int)ms;
}

void vmring_producer_release(struct vmring_producer *producer)
{
    if (!producer->session.peer)
        vmr_producer_release(&producer->core);
}

unsigned int vmring_producer_pending(const struct vmring_producer *producer)
{
    return producer->nr_pending;
}

void vmring_producer_set_target_state(struct vmring_producer *producer,
                                      unsigned int state, unsigned int reason)
{
    producer->target_state = state;
    producer->target_reason = reason;
    vmr_producer_set_target(&producer->core, state, reason);
    vmring_producer_flush(producer);
    events_ring(producer, vmr_producer_wake(&producer->core));
}

/* Every request gets its verdict, though nobody may be there to see it. */
void events_drain(struct vmring_producer *producer,
                  void (*drain)(void *ctx,
                                const struct vmring_verdict *verdict),
                  void *ctx)
{
    struct vmring_verdict verdict;

    vmr_producer_sweep(&producer->core);
    vmr_producer_release(&producer->core);
    /* Each request gives one; the first pass may end with the sweep. */
    while (producer->nr_pending || producer->core.sweeping)
        if (collect_one(producer, &verdict) && drain)
            drain(ctx, &verdict);
}
