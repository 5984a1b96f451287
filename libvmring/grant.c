/* SPDX-License-Identifier: MIT */
/* grant.c: negotiation: what a producer grants. */
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

/* One at a time, and what the last has left is swept first. */
static bool is_busy(const struct vmring_producer *producer)
{
    return producer->session.peer || producer->session.leaving ||
           producer->making.peer;
}

/* What this producer cannot, or may not, give. */
static uint32_t check_limits(const struct vmring_producer *producer,
                             const struct xen_vm_ring_propose *propose,
                             const struct xen_vm_ring_grant *grant)
{
    if (propose->features_required &
        ~(features(producer) | XEN_VM_RING_FEATURE_ASK))
        return XEN_VM_RING_REFUSED_FEATURE;
    if (is_busy(producer))
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
    left += left < UINT64_MAX / 2 ? region_going_bytes(&producer->going) : 0;
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

void grant_deny(struct vmring_producer *producer, struct peer *peer,
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
    uint32_t result;

    memset(&propose, 0, sizeof(propose));
    memcpy(&propose, body, len < sizeof(propose) ? len : sizeof(propose));
    begin_answer(producer, &propose, &answer);
    result = check_form(&propose, body, len);
    if (!result) {
        fill_in(producer, &propose, &answer.grant);
        result = check_limits(producer, &propose, &answer.grant);
    }
    if (result)
        grant_deny(producer, peer, &answer, result);
    else
        epoch_make(producer, peer, &answer);
}
