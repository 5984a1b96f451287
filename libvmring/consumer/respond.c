/* SPDX-License-Identifier: MIT */
#include "respond.h"

#include <errno.h>

#include "../core/response_check.h"

void vmring_neutral(const struct vmring_event *event,
                    struct xen_vm_ring_response *response)
{
    *response = (struct xen_vm_ring_response){
        .seq = event->seq,
        .reason = event->rec.reason,
        .altp2m_idx = event->rec.altp2m_idx,
    };
}

int groups_respond(struct vmring *ring, struct groups *groups,
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
