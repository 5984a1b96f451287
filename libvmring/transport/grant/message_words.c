/* SPDX-License-Identifier: MIT */
#include "message_words.h"

#include "message.h"

const struct message_kind message_kinds[MESSAGE_KINDS] = {
    {"ok", WIRE_OK, 0},
    {"propose", WIRE_PROPOSE, sizeof(struct xen_vm_ring_propose)},
    {"subscribe", WIRE_SUBSCRIBE, sizeof(struct message_subscribe)},
    {"supported", WIRE_SUPPORTED, 0},
    {"count", WIRE_COUNT, sizeof(struct wire_count_request)},
    {"quiesce", WIRE_QUIESCE, 0},
    {"detach", WIRE_DETACH, 0},
    {"drained", WIRE_DRAINED, 0},
    {"accept", WIRE_ACCEPT, sizeof(struct message_accept)},
    {"subscribed", WIRE_SUBSCRIBED, sizeof(struct wire_subscribed)},
    {"support", WIRE_SUPPORT, sizeof(struct wire_support)},
    {"counts", WIRE_COUNTS, sizeof(struct wire_counts)},
    {"quiet", WIRE_QUIET, 0},
};

const char *const message_policies[MESSAGE_POLICIES] = {"discard", "overwrite"};
const char *const message_archs[MESSAGE_ARCHS] = {"none", "x86", "arm"};
