/* SPDX-License-Identifier: MIT */
/* consumer.c: vmring_next() and what answers an event. */
#include "consumer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/watch.h"
#include "../core/verdict.h"

/* Tries in one call while the producer overruns us, before we yield. */
#define MAX_TRIES 64

void *line_alloc(size_t len)
{
    size_t whole = (len + XEN_VM_RING_LINE - 1) & ~(XEN_VM_RING_LINE - 1ULL);
    void *at = aligned_alloc(XEN_VM_RING_LINE, whole);

    return at ? memset(at, 0, whole) : NULL;
}

int consumer_set_up(struct vmring *ring, const struct vmr_geometry *geo)
{
    uint32_t nr = geo->nr_groups;

    ring->core_memory = calloc(1, vmr_consumer_size(geo));
    ring->handed = line_alloc(geo->nr_lanes * sizeof(*ring->handed));
    if (!ring->core_memory || !ring->handed)
        return -ENOMEM;
    vmr_consumer_init(&ring->core, geo, ring->core_memory, ring->p.at,
                      ring->c.at);
    groups_set(ring, &ring->own, nr < 64 ? (1ULL << nr) - 1 : UINT64_MAX);
    return 0;
}

/* For the workers, too; they look once more before they believe it. */
static void tell(struct vmring *ring, uint64_t word)
{
    /*
     * Pairs with the acquire load in rest() of worker.c: what the producer
     * had published before it said so is seen by the look that follows.
     */
    vmr_store_release(&ring->told.word, word);
    workers_wake(ring);
}

/*
 * A channel that has hung up polls readable for ever, which would keep the
 * ring's thread awake until the workers have come to their end, too.
 */
static void stop_listening(struct vmring *ring)
{
    if (!ring->nr_workers)
        return;
    (void)watch_remove(ring->epoll, ring->link->ops->fd(ring->link));
    ring->poked = consumer_poke(ring);
}

int consumer_lose(struct vmring *ring, int err)
{
    bool broken = err == -EPROTO;

    if (!ring->lost)
        log_to(&ring->log, LOG_WARNING, "%s",
               broken ? "the producer broke the protocol"
                      : "the producer is gone");
    if (!ring->lost)
        stop_listening(ring);
    if (!ring->lost || broken)
        ring->lost = broken ? -EPROTO : -ECONNRESET;
    if (broken)
        vmr_store_relaxed(&ring->told.broken, 1);
    tell(ring, ring->told.word | TOLD_GONE);
    return ring->lost;
}

void consumer_message(struct vmring *ring, uint32_t type)
{
    if (type == VMRING_LOCAL_QUIET)
        tell(ring, ring->told.word | TOLD_QUIET);
    else
        (void)consumer_lose(ring, -EPROTO); /* nothing else comes unasked */
}

void consumer_armed_anew(struct vmring *ring)
{
    tell(ring, (ring->told.word & ~TOLD_QUIET) + TOLD_STEP);
}

/* Takes the control messages that have come. */
static void poll_control(struct vmring *ring)
{
    unsigned char body[64];
    uint32_t type;
    int len;

    if (ring->lost)
        return;
    len = ring->link->ops->recv(ring->link, &type, body, sizeof(body), 0);
    if (len == -EAGAIN || len == -EINTR)
        return;
    if (len < 0)
        (void)consumer_lose(ring, len);
    else
        consumer_message(ring, type);
}

bool consumer_poke(const struct vmring *ring)
{
    uint64_t one = 1;

    return write(ring->poke, &one, sizeof(one)) == sizeof(one);
}

/*
 * Overrun all the time, or more to look at than one call may: the caller is to
 * come again, and no doorbell will say so.
 */
static void come_again(struct vmring *ring)
{
    if (!ring->poked)
        ring->poked = consumer_poke(ring);
}

/* Workers poke, too. */
static void unpoke(struct vmring *ring)
{
    uint64_t value;

    if ((ring->poked || ring->nr_workers) &&
        read(ring->poke, &value, sizeof(value)) > 0)
        ring->poked = false;
}

/* Whoever takes that for "nothing now" finds the descriptor readable. */
static int tell_target(struct vmring *ring, struct vmring_event *event,
                       struct target target)
{
    groups_disarm(ring, &ring->own);
    come_again(ring);
    ring->shown = target;
    *event = (struct vmring_event){
        .target = target.state,
        .shutdown = target.reason,
    };
    return VMRING_NEXT_TARGET;
}

/* Nothing is visible and the doorbells are armed: is that the end of all? */
static int ended(struct vmring *ring, struct vmring_event *event)
{
    struct target target = target_now(ring);
    int ret = groups_ended(ring, &ring->own, ring->told.word, target);

    if (ret == -EAGAIN)
        return ret;
    /* The end is told when all is delivered, by workers, too. */
    if (ret && !workers_ended(ring))
        return 0;
    if (target_is_news(target, ring->shown))
        return tell_target(ring, event, target);
    return ret;
}

/*
 * Events that go on coming hide no change, but the end, which is told when
 * all of them are delivered.
 */
static bool target_changed(struct vmring *ring, struct target *target)
{
    if (!ring->own.long_enough)
        return false;
    ring->own.long_enough = false;
    *target = target_now(ring);
    return !target_is_end(*target) && target_is_news(*target, ring->shown);
}

/* Nothing that is read there is the producer's any more. */
static bool is_taken_away(const struct vmring *ring)
{
    return region_is_broken(&ring->p) || region_is_broken(&ring->c);
}

int vmring_next(struct vmring *ring, struct vmring_event *event)
{
    struct groups *own = &ring->own;
    struct target target;
    int ret;

    if (ring->lost == -EPROTO)
        return -EPROTO;
    if (vmr_load_relaxed(&ring->told.broken) || is_taken_away(ring))
        return consumer_lose(ring, -EPROTO);
    if (target_changed(ring, &target))
        return tell_target(ring, event, target);
    /* Their producer waits: events that go on coming hold no answer back. */
    vmring_flush(ring);
    /* Requests do not wait until all that is drained. */
    if (ring->nr_before &&
        (groups_next_request(ring, own, event) || drain_next(ring, event))) {
        groups_disarm(ring, own);
        return 1;
    }
    for (int tries = 0; tries < MAX_TRIES; tries++) {
        ret = groups_next(ring, own, event);
        if (ret > 0) {
            groups_disarm(ring, own);
            return ret;
        }
        if (ret == -EPROTO)
            return consumer_lose(ring, ret);
        if (ret == -EAGAIN)
            continue;
        unpoke(ring);
        count_up(&own->stats.doorbells_received,
                 ring->link->ops->ack(ring->link));
        poll_control(ring);
        if (ring->lost == -EPROTO)
            return ring->lost;
        if (!groups_arm(ring, own))
            continue;
        ret = ended(ring, event);
        if (ret != -EAGAIN)
            return ret;
    }
    come_again(ring);
    return 0;
}

void vmring_neutral(const struct vmring_event *event,
                    struct xen_vm_ring_response *response)
{
    *response = (struct xen_vm_ring_response){
        .seq = event->seq,
        .reason = event->rec.reason,
        .altp2m_idx = event->rec.altp2m_idx,
    };
}

int consumer_respond(struct vmring *ring, struct groups *groups,
                     const struct vmring_event *event,
                     const struct xen_vm_ring_response *response)
{
    const struct xen_vm_ring_event *rec = &event->rec;

    if (!(event->seq & 1) || rec->vcpu >= ring->core.geo.nr_vcpus ||
        !(groups->mask >> vmr_group_of(&ring->core.geo, rec->vcpu) & 1) ||
        response->reason != rec->reason ||
        !vmr_response_is_whole(response, ring->core.geo.arch))
        return -EINVAL;
    switch (vmr_response_check(rec->reason, response->flags,
                               ring->core.geo.verdicts)) {
    case VMR_FLAGS_INVALID:
        return -EINVAL;
    case VMR_FLAGS_DENIED:
        return -EPERM;
    case VMR_FLAGS_ALLOWED:
        break;
    }
    if (vmr_consumer_is_answered(&ring->core, rec->vcpu, event->seq))
        return -EALREADY;
    if (!vmr_consumer_answer(&ring->core, rec->vcpu, event->seq, response))
        return -ESTALE;
    count_up(&groups->stats.responses, 1);
    return 0;
}

int vmring_respond(struct vmring *ring, const struct vmring_event *event,
                   const struct xen_vm_ring_response *response)
{
    return consumer_respond(ring, &ring->own, event, response);
}

void vmring_flush(struct vmring *ring)
{
    groups_flush(ring, &ring->own);
}

int vmring_target_state(const struct vmring *ring, unsigned int *reason)
{
    uint64_t why;
    uint64_t state = vmr_consumer_target(&ring->core, &why);

    if (reason)
        *reason = state < XEN_VM_RING_TARGET_SHUTDOWN ? 0 : (unsigned int)why;
    return state > XEN_VM_RING_TARGET_DESTROYED ? XEN_VM_RING_TARGET_DESTROYED
                                                : (int)state;
}
