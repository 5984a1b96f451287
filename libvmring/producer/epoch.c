/* SPDX-License-Identifier: MIT */
/*
 * epoch.c: a ring for a consumer, and the epoch that begins with it.
 *
 * Its memory takes long where there is much of it, and the loop that has it
 * made is what all vCPUs wait for.  So it comes in slices, one a turn, and what
 * earlier rings had goes so, too.
 */
#include <errno.h>
#include <string.h>

#include "../base/clock.h"
#include "epoch.h"
#include "events.h"
#include "frozen.h"
#include "refuse.h"
#include "slices.h"

/* Of a vmring_producer_dispatch(), as those in which a source arms. */
#define SLICE_NS UINT64_C(4000000)

/* For the log: the consumer is told only that memory is short. */
static const char *why_not_handed(int err)
{
    switch (err) {
    case -ETOOMANYREFS:
        return "descriptors that were sent before are not read yet, and no "
               "more can be sent: end the agents that were attached before";
    case -EMFILE:
    case -ENFILE:
        return "no descriptors are left: raise the limit of open files";
    case -EAGAIN:
    case -EPIPE:
    case -ECONNRESET:
        return "it does not read, or has gone";
    case -EDQUOT:
        return "256 MiB of memory were handed to its user that cannot be taken "
               "back: end that user's agents and start this anew";
    case -ENOMEM:
        return "no memory";
    default:
        return NULL; /* the transport has said so */
    }
}

static void log_not_handed(const struct vmring_producer *producer,
                           const char *what, int err)
{
    const char *why = why_not_handed(err);

    if (why)
        log_to(&producer->log, LOG_WARNING, "%s: %s", what, why);
}

static bool lay_out(const struct vmring_producer *producer,
                    const struct xen_vm_ring_accept *accept,
                    struct vmr_geometry *geo)
{
    *geo = (struct vmr_geometry){
        .features = accept->features,
        .epoch = producer->epoch + 1,
        .deadline = accept->deadline,
        .nr_vcpus = producer->nr_vcpus,
        .nr_lanes = producer->nr_lanes,
        .nr_groups = accept->nr_groups,
        .loss_policy = accept->policy,
        .verdicts = accept->verdicts,
        .arch = accept->arch,
        .clock = XEN_VM_RING_CLOCK_MONOTONIC,
        .record_len = accept->record_len,
        .minor = accept->version & 0xffff,
        .source = producer->source,
        .target_id = producer->target_id,
    };
    return vmr_geometry_lay_out(geo, accept->async_len);
}

static int send_offer(struct vmring_producer *producer, struct peer *peer,
                      struct vmring_local_accept *reply,
                      const struct epoch *epoch)
{
    struct link_regions regions = {.p = epoch->p, .c = epoch->c};
    struct xen_vm_ring_accept *accept = &reply->body;

    accept->epoch = epoch->geo.epoch;
    accept->async_len =
        epoch->geo.nr_records * epoch->geo.nr_lanes * epoch->geo.record_len;
    accept->p_len = epoch->geo.p_len;
    accept->c_len = epoch->geo.c_len;
    for (unsigned int i = 0; i < producer->frozen.nr; i++) {
        accept->prev_p_len[i] = producer->frozen.p[i].len;
        regions.before[regions.nr_before++] = producer->frozen.p[i];
    }
    return peer->ops->hand_over(peer, reply, &regions);
}

/* The ledger of the new epoch begins; what is pending counts in it. */
static void begin_ledger(struct vmring_producer *producer)
{
    size_t rows = (size_t)producer->nr_lanes * XEN_VM_RING_NR_REASONS;

    memcpy(producer->base, producer->tallies, rows * sizeof(struct tally));
    for (uint32_t v = 0; v < producer->nr_vcpus; v++) {
        const struct vmr_slot_tx *slot = &producer->core.slots[v];

        for (uint32_t i = 0; i < slot->nr; i++) {
            const struct vmr_request *request =
                slot->fifo[(slot->first + i) % VMR_FIFO];

            producer
                ->base[(size_t)v * XEN_VM_RING_NR_REASONS +
                       request->event.reason]
                .requests--;
        }
    }
    for (size_t i = 0; i < producer->nr_overflow; i++) {
        const struct xen_vm_ring_event *event = &producer->overflow[i].event;

        producer
            ->base[(size_t)event->vcpu * XEN_VM_RING_NR_REASONS + event->reason]
            .requests--;
    }
}

static void begin_epoch(struct vmring_producer *producer, struct peer *peer,
                        struct epoch *epoch)
{
    begin_ledger(producer);
    vmr_producer_attach(&producer->core, &epoch->geo, epoch->p.at, epoch->c.at);
    vmr_producer_set_target(&producer->core, producer->target_state,
                            producer->target_reason);
    producer->p = epoch->p;
    producer->epoch = epoch->geo.epoch;
    producer->accepted_deadline =
        epoch->geo.deadline ? epoch->geo.deadline : VMR_NO_DEADLINE;
    producer->session = (struct session){
        .peer = peer,
        .c = epoch->c,
        .version = (uint32_t)XEN_VM_RING_VERSION_MAJOR << 16 | epoch->geo.minor,
    };
    vmring_producer_flush(producer);
    log_to(&producer->log, LOG_INFO, "a consumer has attached, epoch %llu",
           (unsigned long long)producer->epoch);
    if (producer->ops->attached)
        producer->ops->attached(producer->ops_ctx, true, epoch->geo.verdicts);
}

/* Nothing of it is there any more. */
static void refuse(struct vmring_producer *producer, struct making *making,
                   uint32_t why)
{
    slices_drop(producer, &making->epoch.p);
    slices_drop(producer, &making->epoch.c);
    refuse_proposal(producer, making->peer, &making->reply, why);
}

/* It has its memory: the consumer is handed it, and attached. */
static void hand_over(struct vmring_producer *producer, struct making *making)
{
    struct epoch *epoch = &making->epoch;
    int err;

    vmr_geometry_publish(&epoch->geo, epoch->p.at);
    /* No thread but this one pushes: nothing has the foreign lane. */
    (void)vmr_producer_freeze(&producer->core);
    frozen_add(producer);
    err = send_offer(producer, making->peer, &making->reply, epoch);
    if (err) {
        log_not_handed(producer, "a ring cannot be sent", err);
        /* The P before stays in use until somebody else attaches. */
        frozen_take_back(producer);
        vmr_producer_thaw(&producer->core);
        refuse(producer, making, XEN_VM_RING_REFUSED_MEMORY);
        return;
    }
    begin_epoch(producer, making->peer, epoch);
}

/* 1: not all of it is there yet. */
static int go_on(struct making *making, uint64_t until)
{
    const struct listener_ops *ops = making->peer->ops;
    struct epoch *epoch = &making->epoch;
    int err = 0;

    if (!making->is_made)
        err = ops->make(making->peer, epoch->geo.p_len, epoch->geo.c_len,
                        epoch->geo.nr_groups, &epoch->p, &epoch->c);
    making->is_made = true;
    if (!err && ops->fill)
        err = ops->fill(making->peer, &epoch->p, &epoch->c, until);
    return err;
}

void epoch_go_on(struct vmring_producer *producer)
{
    uint64_t until = clock_ns() + SLICE_NS;
    struct making making;
    /* What goes first is memory that there is for the next. */
    bool all_gone = region_give_back(&producer->going, until);
    int err = 1;

    if (all_gone && producer->making.peer)
        err = go_on(&producer->making, until);
    slices_due(producer, !all_gone || (producer->making.peer && err > 0));
    if (!producer->making.peer || err > 0)
        return;
    making = producer->making;
    producer->making.peer = NULL;
    if (err) {
        log_not_handed(producer, "no ring for a consumer", err);
        refuse(producer, &making, XEN_VM_RING_REFUSED_MEMORY);
    } else if (producer->target_state >= XEN_VM_RING_TARGET_DESTROYED) {
        refuse(producer, &making, XEN_VM_RING_REFUSED_TARGET);
    } else {
        hand_over(producer, &making);
    }
}

void epoch_make(struct vmring_producer *producer, struct peer *peer,
                const struct vmring_local_accept *reply)
{
    struct making *making = &producer->making;

    *making = (struct making){.peer = peer, .reply = *reply};
    making->epoch.p = making->epoch.c = REGION_NONE;
    if (lay_out(producer, &reply->body, &making->epoch.geo))
        return;
    making->peer = NULL;
    refuse_proposal(producer, peer, &making->reply, XEN_VM_RING_REFUSED_MEMORY);
}
