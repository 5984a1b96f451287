/* SPDX-License-Identifier: MIT */
#include "refuse.h"

#include <string.h>

#include "peers.h"

/* Of a refusal: what was asked for is not in use. */
static void take_out_terms(const struct vmring_producer *producer,
                           struct xen_vm_ring_accept *accept)
{
    accept->version = XEN_VM_RING_VERSION;
    accept->features = features_of(producer) | XEN_VM_RING_FEATURE_ASK;
    if (accept->result == XEN_VM_RING_REFUSED_ASKED)
        return;
    accept->async_len = accept->deadline = 0;
    accept->policy = accept->nr_groups = accept->verdicts = 0;
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

void refuse_proposal(struct vmring_producer *producer, struct peer *peer,
                     struct vmring_local_accept *reply, uint32_t why)
{
    struct xen_vm_ring_accept *accept = &reply->body;

    accept->result = why;
    take_out_terms(producer, accept);
    /* Nor is anything there that was made, and could not be sent. */
    accept->epoch = accept->p_len = accept->c_len = 0;
    memset(accept->prev_p_len, 0, sizeof(accept->prev_p_len));
    (void)peer->ops->send(peer, VMRING_LOCAL_ACCEPT, reply, sizeof(*reply));
    log_to(&producer->log, LOG_NOTICE, "a consumer was refused for %s",
           why_refused(why));
    peers_drop(producer, peer);
}

void refuse_peer(struct vmring_producer *producer, struct peer *peer,
                 uint32_t why)
{
    /* Who is not let in learns nothing of what there is. */
    struct vmring_local_accept reply = {
        .body =
            {
                .magic = XEN_VM_RING_MAGIC,
                .length = sizeof(reply.body),
                .result = why,
                .version = XEN_VM_RING_VERSION,
            },
    };

    (void)peer->ops->send(peer, VMRING_LOCAL_ACCEPT, &reply, sizeof(reply));
    log_to(&producer->log, LOG_NOTICE, "a consumer was refused for %s",
           why_refused(why));
    peers_drop(producer, peer);
}
