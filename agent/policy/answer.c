/* SPDX-License-Identifier: MIT */
/*
 * answer.c: a request gets its verdict, and its vCPU goes on.
 */
#include "answer.h"

#include <errno.h>

static int respond(struct vmring *ring, struct vmring_worker *worker,
                   const struct vmring_event *event,
                   const struct xen_vm_ring_response *response)
{
    return worker ? vmring_worker_respond(worker, event, response)
                  : vmring_respond(ring, event, response);
}

struct answer answer_request(const struct policy *policy, struct vmring *ring,
                             struct vmring_worker *worker,
                             const struct vmring_event *event)
{
    struct xen_vm_ring_response response;
    struct answer answer = {.verdict = policy_judge(policy, event, &response)};
    int r = respond(ring, worker, event, &response);

    if (r == -EINVAL || r == -EPERM) {
        /* The rule does not fit this event; it must not hold the vCPU. */
        vmring_neutral(event, &response);
        answer.verdict = POLICY_NEUTRAL;
        r = respond(ring, worker, event, &response);
    }
    if (worker)
        vmring_worker_flush(worker);
    else
        vmring_flush(ring);
    answer.late = r < 0;
    return answer;
}
