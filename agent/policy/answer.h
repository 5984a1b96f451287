/* SPDX-License-Identifier: MIT */
/*
 * answer.h: a request gets its verdict, and its vCPU goes on.
 */
#ifndef AGENT_ANSWER_H
#define AGENT_ANSWER_H

#include <stdbool.h>

#include "policy.h"

struct answer {
    const char *verdict; /* its name, for the outputs */
    bool late;           /* the ring refused it: the deadline had passed */
};

/*
 * Judges, responds and flushes.  `worker`: whose the event is; NULL: it came
 * from `ring` itself.
 */
struct answer answer_request(const struct policy *policy, struct vmring *ring,
                             struct vmring_worker *worker,
                             const struct vmring_event *event);

#endif /* AGENT_ANSWER_H */
