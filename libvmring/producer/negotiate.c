/* SPDX-License-Identifier: MIT */
/* negotiate.c: what a producer accepts, and what it refuses. */
#include <errno.h>
#include <string.h>

#include "../core/propose.h"
#include "epoch.h"
#include "negotiate.h"
#include "refuse.h"

#define DEFAULT_ASYNC_LEN 65536

/* The smallest record that holds registers. */
#define FULL_RECORD ((XEN_VM_RING_EVENT_FULL + 63) / 64 * 64)

static bool is_question(const struct xen_vm_ring_propose *propose)
{
    return propose->features_required & XEN_VM_RING_FEATURE_ASK;
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
                             const struct xen_vm_ring_accept *accept)
{
    if (propose->features_required &
        ~(features_of(producer) | XEN_VM_RING_FEATURE_ASK))
        return XEN_VM_RING_REFUSED_FEATURE;
    if (is_busy(producer))
        return XEN_VM_RING_REFUSED_BUSY;
    if (producer->target_state >= XEN_VM_RING_TARGET_DESTROYED)
        return XEN_VM_RING_REFUSED_TARGET;
    if (accept->max_async_len < accept->min_async_len)
        return XEN_VM_RING_REFUSED_MEMORY;
    if (accept->async_len < accept->min_async_len ||
        accept->async_len > accept->max_async_len)
        return XEN_VM_RING_REFUSED_ASYNC_LEN;
    if (!propose->nr_groups || propose->nr_groups > accept->max_groups)
        return XEN_VM_RING_REFUSED_GROUPS;
    if (propose->verdicts & ~accept->allowed_verdicts)
        return XEN_VM_RING_REFUSED_VERDICTS;
    if (propose->deadline > producer->deadline)
        return XEN_VM_RING_REFUSED_DEADLINE;
    return is_question(propose) ? XEN_VM_RING_REFUSED_ASKED
                                : XEN_VM_RING_ACCEPTED;
}

/* The limits stand in every reply but one to a peer that may not know them. */
static void begin_reply(const struct vmring_producer *producer,
                        const struct xen_vm_ring_propose *propose,
                        struct vmring_local_accept *reply)
{
    memset(reply, 0, sizeof(*reply));
    reply->body = (struct xen_vm_ring_accept){
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(reply->body),
        .version = XEN_VM_RING_VERSION,
        .features = features_of(producer) | XEN_VM_RING_FEATURE_ASK,
        .max_async_len = producer->max_async_len,
        .max_deadline =
            producer->deadline == VMR_NO_DEADLINE ? 0 : producer->deadline,
        .nr_vcpus = producer->nr_vcpus,
        .arch = producer->arch,
        .max_groups = max_groups(producer),
        .allowed_verdicts =
            producer->verdicts & vmr_propose_verdicts(propose->version_max),
    };
    memcpy(reply->target, producer->target, sizeof(reply->target));
}

/* For a consumer that does not mind: it is not refused for our default. */
static uint64_t default_async_len(const struct xen_vm_ring_accept *accept)
{
    if (accept->min_async_len > DEFAULT_ASYNC_LEN)
        return accept->min_async_len;
    return accept->max_async_len < DEFAULT_ASYNC_LEN ? accept->max_async_len
                                                     : DEFAULT_ASYNC_LEN;
}

/*
 * Where memory is short there is less to ask for.  What does not depend on the
 * records is not theirs.
 */
static void mind_room(const struct vmring_producer *producer,
                      struct xen_vm_ring_accept *accept)
{
    struct vmr_geometry geo = {
        .nr_vcpus = producer->nr_vcpus,
        .nr_lanes = producer->nr_lanes,
        .nr_groups = max_groups(producer),
        .record_len = accept->record_len,
    };
    uint64_t left, fixed;

    if (!producer->ops->room ||
        !vmr_geometry_lay_out(&geo, accept->min_async_len))
        return;
    left = producer->ops->room(producer->ops_ctx);
    left += left < UINT64_MAX / 2 ? region_going_bytes(&producer->going) : 0;
    fixed = geo.p_len + geo.c_len;
    left = left > fixed ? left - fixed : 0;
    if (left < accept->max_async_len)
        accept->max_async_len = left;
}

static void fill_in(const struct vmring_producer *producer,
                    const struct xen_vm_ring_propose *propose,
                    struct xen_vm_ring_accept *accept)
{
    uint64_t min;

    accept->record_len =
        propose->record_len ? propose->record_len : FULL_RECORD;
    min = vmr_min_async_len(producer->nr_lanes, accept->record_len);
    accept->min_async_len = min;
    if (accept->max_async_len < min)
        accept->max_async_len = min;
    mind_room(producer, accept);
    accept->async_len = propose->async_len;
    if (!accept->async_len)
        accept->async_len = default_async_len(accept);
    /* The highest that both know: there is one. */
    if (propose->version_max < accept->version)
        accept->version = propose->version_max;
    accept->policy = propose->policy;
    accept->nr_groups = propose->nr_groups;
    accept->verdicts = propose->verdicts;
    accept->features = features_of(producer);
    /* Beyond the producer's own it will be refused. */
    accept->deadline =
        propose->deadline ? propose->deadline : accept->max_deadline;
    if (accept->deadline == XEN_VM_RING_FOR_EVER)
        accept->deadline = 0;
}

void negotiate_answer(struct vmring_producer *producer, struct peer *peer,
                      const void *body, size_t len)
{
    struct xen_vm_ring_propose propose;
    struct vmring_local_accept reply;
    uint32_t result;

    memset(&propose, 0, sizeof(propose));
    memcpy(&propose, body, len < sizeof(propose) ? len : sizeof(propose));
    begin_reply(producer, &propose, &reply);
    result = vmr_propose_check(&propose, body, len);
    if (!result) {
        fill_in(producer, &propose, &reply.body);
        result = check_limits(producer, &propose, &reply.body);
    }
    if (result)
        refuse_proposal(producer, peer, &reply, result);
    else
        epoch_make(producer, peer, &reply);
}
