/* SPDX-License-Identifier: MIT */
#include "message_words.h"

#include "message.h"

const struct message_kind message_kinds[MESSAGE_KINDS] = {
    {"ok", MESSAGE_OK, 0},
    {"propose", VMRING_LOCAL_PROPOSE, sizeof(struct xen_vm_ring_propose)},
    {"subscribe", VMRING_LOCAL_SUBSCRIBE, sizeof(struct message_subscribe)},
    {"supported", VMRING_LOCAL_SUPPORTED, 0},
    {"count", VMRING_LOCAL_COUNT, sizeof(struct vmring_local_count)},
    {"quiesce", VMRING_LOCAL_QUIESCE, 0},
    {"detach", VMRING_LOCAL_DETACH, 0},
    {"drained", VMRING_LOCAL_DRAINED, 0},
    {"accept", VMRING_LOCAL_ACCEPT, sizeof(struct message_accept)},
    {"subscribed", VMRING_LOCAL_SUBSCRIBED,
     sizeof(struct vmring_local_subscribed)},
    {"support", VMRING_LOCAL_SUPPORT, sizeof(struct vmring_local_support)},
    {"counts", VMRING_LOCAL_COUNTS, sizeof(struct vmring_local_counts)},
    {"quiet", VMRING_LOCAL_QUIET, 0},
};

const char *const message_policies[MESSAGE_POLICIES] = {"discard", "overwrite"};
const char *const message_archs[MESSAGE_ARCHS] = {"none", "x86", "arm"};
