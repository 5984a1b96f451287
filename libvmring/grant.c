/* SPDX-License-Identifier: MIT */
/* grant.c: negotiation: what a producer grants, and the epoch it begins. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "producer.h"

#define DEFAULT_ASYNC_LEN 65536

/* The smallest record that holds registers. */
#define FULL_RECORD ((XEN_VM_RING_EVENT_FULL + 63) / 64 * 64)

/*
 * What a proposal says beyond what we know must be nothing: the rest of the
 * structure, and of a later minor's, which may be longer.
 */
static bool rest_is_zero(const void *body, size_t len)
{
    const unsigned char *bytes = body;

    for (size_t i = offsetof(struct xen_vm_ring_propose, reserved); i < len;
         i++)
        if (bytes[i])
            return false;
    return true;
}

/* What is wrong with a proposal in itself. */
static uint32_t check_form(const struct xen_vm_ring_propose *propose,
                           const void *body, size_t len)
{
    if (len < sizeof(*propose) || propose->magic != XEN_VM_RING_MAGIC ||
        propose->length != len || !rest_is_zero(body, len) ||
        propose->version_min > propose->version_max)
        return XEN_VM_RING_REFUSED_MALFORMED;
    if (propose->version_max < XEN_VM_RING_VERSION_MAJOR << 16 ||
        propose->version_min > XEN_VM_RING_VERSION)
        return XEN_VM_RING_REFUSED_VERSION;
    if (propose->record_len && (propose->record_len < XEN_VM_RING_MIN_RECORD ||
                                propose->record_len > XEN_VM_RING_MAX_RECORD ||
                                propose->record_len % 64))
        return XEN_VM_RING_REFUSED_RECORD;
    if (propose->policy > XEN_VM_RING_POLICY_OVERWRITE)
        return XEN_VM_RING_REFUSED_POLICY;
    return XEN_VM_RING_GRANTED;
}

/* A name that a consumer does not know would be no answer to it. */
static uint32_t verdicts_since(uint32_t version)
{
    return version > XEN_VM_RING_VERSION_MAJOR << 16 ? XEN_VM_RING_VERDICTS
                                                     : XEN_VM_RING_VERDICTS_1_0;
}

static bool is_question(const struct xen_vm_ring_propose *propose)
{
    return propose->features_required & XEN_VM_RING_FEATURE_ASK;
}

/* What a ring of this producer is, whether that was wanted or not. */
static uint64_t features(const struct vmring_producer *producer)
{
    return XEN_VM_RING_FEATURE_REGISTERS |
           (producer->nr_lanes > producer->nr_vcpus
                ? XEN_VM_RING_FEATURE_FOREIGN
                : 0);
}

static uint32_t max_groups(const struct vmring_producer *producer)
{
    return producer->nr_vcpus < XEN_VM_RING_MAX_GROUPS ? producer->nr_vcpus
                                                       : XEN_VM_RING_MAX_GROUPS;
}

/* What this producer cannot, or may not, give. */
static uint32_t check_limits(const struct vmring_producer *producer,
                             const struct xen_vm_ring_propose *propose,
                             const struct xen_vm_ring_grant *grant)
{
    if (propose->features_required &
        ~(features(producer) | XEN_VM_RING_FEATURE_ASK))
        return XEN_VM_RING_REFUSED_FEATURE;
    if (producer->session.peer || producer->session.leaving)
        return XEN_VM_RING_REFUSED_BUSY;
    if (producer->target_state >= XEN_VM_RING_TARGET_DESTROYED)
        return XEN_VM_RING_REFUSED_TARGET;
    if (grant->max_async_len < grant->min_async_len)
        return XEN_VM_RING_REFUSED_MEMORY;
    if (grant->async_len < grant->min_async_len ||
        grant->async_len > grant->max_async_len)
        return XEN_VM_RING_REFUSED_ASYNC_LEN;
    if (!propose->nr_groups || propose->nr_groups > grant->max_groups)
        return XEN_VM_RING_REFUSED_GROUPS;
    if (propose->verdicts & ~grant->allowed_verdicts)
        return XEN_VM_RING_REFUSED_VERDICTS;
    if (propose->deadline > producer->deadline)
        return XEN_VM_RING_REFUSED_DEADLINE;
    return is_question(propose) ? XEN_VM_RING_REFUSED_ASKED
                                : XEN_VM_RING_GRANTED;
}

/* The limits stand in every answer but one to who may not know them. */
static void begin_answer(const struct vmring_producer *producer,
                         const struct xen_vm_ring_propose *propose,
                         struct wire_grant *answer)
{
    memset(answer, 0, sizeof(*answer));
    answer->grant = (struct xen_vm_ring_grant){
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(answer->grant),
        .version = XEN_VM_RING_VERSION,
        .features = features(producer) | XEN_VM_RING_FEATURE_ASK,
        .max_async_len = producer->max_async_len,
        .max_deadline =
            producer->deadline == VMR_NO_DEADLINE ? 0 : producer->deadline,
        .nr_vcpus = producer->nr_vcpus,
        .arch = producer->arch,
        .max_groups = max_groups(producer),
        .allowed_verdicts =
            producer->verdicts & verdicts_since(propose->version_max),
    };
    memcpy(answer->target, producer->target, sizeof(answer->target));
}

/* For a consumer that does not mind: it is not refused for our default. */
static uint64_t default_async_len(const struct xen_vm_ring_grant *grant)
{
    if (grant->min_async_len > DEFAULT_ASYNC_LEN)
        return grant->min_async_len;
    return grant->max_async_len < DEFAULT_ASYNC_LEN ? grant->max_async_len
                                                    : DEFAULT_ASYNC_LEN;
}

/*
 * Where memory is short there is less to ask for.  What does not depend on the
 * records is not theirs.
 */
static void mind_room(const struct vmring_producer *producer,
                      struct xen_vm_ring_grant *grant)
{
    struct vmr_geometry geo = {
        .nr_vcpus = producer->nr_vcpus,
        .nr_lanes = producer->nr_lanes,
        .nr_groups = max_groups(producer),
        .record_len = grant->record_len,
    };
    uint64_t left, fixed;

    if (!producer->ops->room ||
        !vmr_geometry_lay_out(&geo, grant->min_async_len))
        return;
    left = producer->ops->room(producer->ops_ctx);
    fixed = geo.p_len + geo.c_len;
    left = left > fixed ? left - fixed : 0;
    if (left < grant->max_async_len)
        grant->max_async_len = left;
}

static void fill_in(const struct vmring_producer *producer,
                    const struct xen_vm_ring_propose *propose,
                    struct xen_vm_ring_grant *grant)
{
    uint64_t min;

    grant->record_len = propose->record_len ? propose->record_len : FULL_RECORD;
    min = vmr_min_async_len(producer->nr_lanes, grant->record_len);
    grant->min_async_len = min;
    if (grant->max_async_len < min)
        grant->max_async_len = min;
    mind_room(producer, grant);
    grant->async_len = propose->async_len;
    if (!grant->async_len)
        grant->async_len = default_async_len(grant);
    /* The highest that both know; check_form() has seen that there is one. */
    if (propose->version_max < grant->version)
        grant->version = propose->version_max;
    grant->policy = propose->policy;
    grant->nr_groups = propose->nr_groups;
    grant->verdicts = propose->verdicts;
    grant->features = features(producer);
    /* Beyond the producer's own it will be refused. */
    grant->deadline =
        propose->deadline ? propose->deadline : grant->max_deadline;
    if (grant->deadline == XEN_VM_RING_FOR_EVER)
        grant->deadline = 0;
}

/* Of an answer that grants nothing: what was asked for is not in use. */
static void take_out_terms(const struct vmring_producer *producer,
                           struct xen_vm_ring_grant *grant)
{
    grant->version = XEN_VM_RING_VERSION;
    grant->features = features(producer) | XEN_VM_RING_FEATURE_ASK;
    if (grant->result == XEN_VM_RING_REFUSED_ASKED)
        return;
    grant->async_len = grant->deadline = 0;
    grant->policy = grant->nr_groups = grant->verdicts = 0;
}

static const char *why_refused(uint32_t result)
{
    static const char *const names[] = {
        [XEN_VM_RING_REFUSED_MALFORMED] = "a malformed proposal",
        [XEN_VM_RING_REFUSED_VERSION] = "its version of the ring",
        [XEN_VM_RING_REFUSED_FEATURE] = "a feature that is required",
        [XEN_VM_RING_REFUSED_ASYNC_LEN] = "the size of its ring",
        [XEN_VM_RING_REFUSED_RECORD] = "its record size",
        [XEN_VM_RING_REFUSED_POLICY] = "its policy",
        [XEN_VM_RING_REFUSED_GROUPS] = "its doorbell groups",
        [XEN_VM_RING_REFUSED_VERDICTS] = "verdicts beyond the allow-list",
        [XEN_VM_RING_REFUSED_DEADLINE] = "a deadline beyond the maximum",
        [XEN_VM_RING_REFUSED_BUSY] = "another one being attached",
        [XEN_VM_RING_REFUSED_PERMISSION] = "its user",
        [XEN_VM_RING_REFUSED_MEMORY] = "lack of memory or descriptors",
        [XEN_VM_RING_REFUSED_TARGET] = "the target being gone",
        [XEN_VM_RING_REFUSED_ASKED] = "having only asked",
    };

    return names[result];
}

/* Fresh pages of a new epoch, not in use yet. */
struct epoch {
    struct vmr_geometry geo;
    struct region p, c;
};

static void abandon(struct epoch *epoch)
{
    region_drop(&epoch->p);
    region_drop(&epoch->c);
}

/* For whoever runs the producer: the consumer is told of memory alone. */
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
        log_line(&producer->log, 4, "%s: %s", what, why);
}

static int make_epoch(struct vmring_producer *producer, struct peer *peer,
                      const struct xen_vm_ring_grant *grant,
                      struct epoch *epoch)
{
    int err;

    *epoch = (struct epoch){
        .geo =
            {
                .features = grant->features,
                .epoch = producer->epoch + 1,
                .deadline = grant->deadline,
                .nr_vcpus = producer->nr_vcpus,
                .nr_lanes = producer->nr_lanes,
                .nr_groups = grant->nr_groups,
                .policy = grant->policy,
                .verdicts = grant->verdicts,
                .arch = grant->arch,
                .clock = XEN_VM_RING_CLOCK_MONOTONIC,
                .record_len = grant->record_len,
                .minor = grant->version & 0xffff,
                .source = producer->source,
                .target_id = producer->target_id,
            },
        .p = REGION_NONE,
        .c = REGION_NONE,
    };
    if (!vmr_geometry_lay_out(&epoch->geo, grant->async_len))
        return -EINVAL;
    err = peer->ops->make(peer, epoch->geo.p_len, epoch->geo.c_len,
                          epoch->geo.nr_groups, &epoch->p, &epoch->c);
    if (err)
        abandon(epoch);
    else
        vmr_geometry_publish(&epoch->geo, epoch->p.at);
    return err;
}

static int send_grant(struct vmring_producer *producer, struct peer *peer,
                      struct wire_grant *answer, const struct epoch *epoch)
{
    struct link_regions regions = {.p = epoch->p, .c = epoch->c};
    struct xen_vm_ring_grant *grant = &answer->grant;

    grant->epoch = epoch->geo.epoch;
    grant->async_len =
        epoch->geo.slots * epoch->geo.nr_lanes * epoch->geo.record_len;
    grant->p_len = epoch->geo.p_len;
    grant->c_len = epoch->geo.c_len;
    for (unsigned int i = 0; i < producer->frozen.nr; i++) {
        grant->prev_p_len[i] = producer->frozen.p[i].len;
        regions.before[regions.nr_before++] = producer->frozen.p[i];
    }
    return peer->ops->grant(peer, answer, &regions);
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
    producer->granted_deadline =
        epoch->geo.deadline ? epoch->geo.deadline : VMR_NO_DEADLINE;
    producer->session = (struct session){
        .peer = peer,
        .c = epoch->c,
        .version = (uint32_t)XEN_VM_RING_VERSION_MAJOR << 16 | epoch->geo.minor,
    };
    vmring_producer_flush(producer);
    log_line(&producer->log, 6, "a consumer has attached, epoch %llu",
             (unsigned long long)producer->epoch);
    if (producer->ops->attached)
        producer->ops->attached(producer->ops_ctx, 1, epoch->geo.verdicts);
}

static void refuse(struct vmring_producer *producer, struct peer *peer,
                   struct wire_grant *answer, uint32_t why)
{
    struct xen_vm_ring_grant *grant = &answer->grant;

    grant->result = why;
    take_out_terms(producer, grant);
    /* Nor is anything there that was made, and could not be sent. */
    grant->epoch = grant->p_len = grant->c_len = 0;
    memset(grant->prev_p_len, 0, sizeof(grant->prev_p_len));
    (void)peer->ops->send(peer, WIRE_GRANT, answer, sizeof(*answer));
    log_line(&producer->log, 5, "a consumer was refused for %s",
             why_refused(why));
    serve_drop(producer, peer);
}

void grant_refuse(struct vmring_producer *producer, struct peer *peer,
                  uint32_t why)
{
    /* Who is not let in learns nothing of what there is. */
    struct wire_grant answer = {
        .grant =
            {
                .magic = XEN_VM_RING_MAGIC,
                .length = sizeof(answer.grant),
                .result = why,
                .version = XEN_VM_RING_VERSION,
            },
    };

    (void)peer->ops->send(peer, WIRE_GRANT, &answer, sizeof(answer));
    log_line(&producer->log, 5, "a consumer was refused for %s",
             why_refused(why));
    serve_drop(producer, peer);
}

void grant_answer(struct vmring_producer *producer, struct peer *peer,
                  const void *body, size_t len)
{
    struct xen_vm_ring_propose propose;
    struct wire_grant answer;
    struct epoch epoch;
    uint32_t result;
    int err;

    memset(&propose, 0, sizeof(propose));
    memcpy(&propose, body, len < sizeof(propose) ? len : sizeof(propose));
    begin_answer(producer, &propose, &answer);
    result = check_form(&propose, body, len);
    if (!result) {
        fill_in(producer, &propose, &answer.grant);
        result = check_limits(producer, &propose, &answer.grant);
    }
    if (!result) {
        err = make_epoch(producer, peer, &answer.grant, &epoch);
        if (err) {
            log_not_handed(producer, "no ring for a consumer", err);
            result = XEN_VM_RING_REFUSED_MEMORY;
        }
    }
    if (result) {
        refuse(producer, peer, &answer, result);
        return;
    }
    /* No thread but this one pushes: nothing has the foreign lane. */
    (void)vmr_producer_freeze(&producer->core);
    frozen_add(producer);
    err = send_grant(producer, peer, &answer, &epoch);
    if (err) {
        log_not_handed(producer, "a grant cannot be sent", err);
        /* The P before stays in use until somebody else attaches. */
        frozen_take_back(producer);
        vmr_producer_thaw(&producer->core);
        abandon(&epoch);
        refuse(producer, peer, &answer, XEN_VM_RING_REFUSED_MEMORY);
        return;
    }
    begin_epoch(producer, peer, &epoch);
}
