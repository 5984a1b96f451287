/* SPDX-License-Identifier: MIT */
/* message_write.c: messages from vmring_local.h to text. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "../../text/verdicts.h"
#include "message.h"
#include "message_words.h"

struct writer {
    char *text;
    size_t len;
    bool full;
};

static void advance(struct writer *to, int len)
{
    if (len < 0 || (size_t)len >= MESSAGE_MAX - to->len)
        to->full = true;
    else
        to->len += (size_t)len;
}

#define PUT(to, ...)                                                           \
    advance(to, snprintf((to)->text + (to)->len, MESSAGE_MAX - (to)->len,      \
                         __VA_ARGS__))

static void put_number(struct writer *to, const char *key, uint64_t value)
{
    PUT(to, " %s=%" PRIu64, key, value);
}

static void put_version(struct writer *to, const char *key, uint32_t version)
{
    PUT(to, " %s=%u.%u", key, version >> 16, version & 0xffff);
}

static void put_verdicts(struct writer *to, const char *key, uint32_t mask)
{
    char names[VERDICTS_TEXT];

    verdicts_format(mask, names);
    PUT(to, " %s=%s", key, names);
}

static void put_name(struct writer *to, const char *key,
                     const char *const *names, size_t nr, uint32_t value)
{
    if (value < nr)
        PUT(to, " %s=%s", key, names[value]);
    else
        to->full = true;
}

static void write_propose(struct writer *to,
                          const struct xen_vm_ring_propose *propose)
{
    PUT(to, "propose");
    put_version(to, "version_min", propose->version_min);
    put_version(to, "version_max", propose->version_max);
    put_number(to, "features_wanted", propose->features_wanted);
    put_number(to, "features_required", propose->features_required);
    put_number(to, "async_len", propose->async_len);
    put_number(to, "deadline", propose->deadline);
    put_number(to, "record_len", propose->record_len);
    put_name(to, "policy", message_policies, MESSAGE_POLICIES, propose->policy);
    put_number(to, "groups", propose->nr_groups);
    put_verdicts(to, "verdicts", propose->verdicts);
}

static void write_accept(struct writer *to,
                         const struct message_accept *message)
{
    const struct xen_vm_ring_accept *accept = &message->wire.body;

    PUT(to, "accept");
    put_number(to, "result", accept->result);
    put_version(to, "version", accept->version);
    put_number(to, "features", accept->features);
    put_number(to, "async_len", accept->async_len);
    put_number(to, "deadline", accept->deadline);
    put_number(to, "record_len", accept->record_len);
    put_name(to, "policy", message_policies, MESSAGE_POLICIES, accept->policy);
    put_number(to, "groups", accept->nr_groups);
    put_verdicts(to, "verdicts", accept->verdicts);
    put_number(to, "epoch", accept->epoch);
    put_number(to, "p_len", accept->p_len);
    put_number(to, "c_len", accept->c_len);
    for (int i = 0; i < XEN_VM_RING_MAX_PREV && accept->prev_p_len[i]; i++)
        PUT(to, "%s%" PRIu64, i ? "," : " prev_p_len=", accept->prev_p_len[i]);
    if (!accept->prev_p_len[0])
        PUT(to, " prev_p_len=none");
    put_number(to, "min_async_len", accept->min_async_len);
    put_number(to, "max_async_len", accept->max_async_len);
    put_number(to, "max_deadline", accept->max_deadline);
    put_number(to, "vcpus", accept->nr_vcpus);
    put_name(to, "arch", message_archs, MESSAGE_ARCHS, accept->arch);
    put_number(to, "max_groups", accept->max_groups);
    put_verdicts(to, "allowed_verdicts", accept->allowed_verdicts);
    put_number(to, "directory", message->directory);
    for (uint32_t i = 0; i < message->nr_ports; i++)
        PUT(to, "%s%u", i ? "," : " ports=", message->ports[i]);
    if (!message->nr_ports)
        PUT(to, " ports=none");
    PUT(to, " target=%.*s", (int)sizeof(message->wire.target) - 1,
        message->wire.target);
}

static void write_subscribed(struct writer *to,
                             const struct vmring_local_subscribed *answer)
{
    PUT(to, "subscribed results=");
    for (uint32_t i = 0; i < answer->nr && i < sizeof(answer->results); i++)
        PUT(to, "%u", answer->results[i] % 10u);
    PUT(to, " text=%.*s", (int)sizeof(answer->text) - 1, answer->text);
}

static void write_counts(struct writer *to,
                         const struct vmring_local_counts *counts)
{
    PUT(to, "counts");
    if (counts->next == VMRING_LOCAL_NO_MORE)
        PUT(to, " next=none");
    else
        put_number(to, "next", counts->next);
    for (uint32_t i = 0; i < counts->nr && i < MESSAGE_ROWS; i++) {
        const struct vmring_local_row *row = &counts->rows[i];

        PUT(to,
            " row=%u:%u:%" PRIu64 ":%" PRIu64 ":%" PRIu64 ":%" PRIu64
            ":%" PRIu64,
            row->vcpu, row->reason, (uint64_t)row->requests,
            (uint64_t)row->answered, (uint64_t)row->defaulted,
            (uint64_t)row->records, (uint64_t)row->discarded);
    }
}

static unsigned int kind_of(uint32_t type)
{
    unsigned int i = 0;

    while (i < MESSAGE_KINDS && message_kinds[i].type != type)
        i++;
    return i;
}

int message_write(uint32_t type, const void *body, size_t len,
                  char text[MESSAGE_MAX])
{
    struct writer to = {.text = text};
    unsigned int kind = kind_of(type);

    /* Rows that are not there need not be. */
    if (kind == MESSAGE_KINDS ||
        (len != message_kinds[kind].len && type != VMRING_LOCAL_COUNTS))
        return -EINVAL;
    switch (type) {
    case VMRING_LOCAL_PROPOSE:
        write_propose(&to, body);
        break;
    case VMRING_LOCAL_SUBSCRIBE:
        PUT(&to, "subscribe");
        put_number(&to, "parts",
                   ((const struct message_subscribe *)body)->nr_parts);
        break;
    case VMRING_LOCAL_COUNT:
        PUT(&to, "count");
        put_number(&to, "from",
                   ((const struct vmring_local_count *)body)->from);
        break;
    case VMRING_LOCAL_ACCEPT:
        write_accept(&to, body);
        break;
    case VMRING_LOCAL_SUBSCRIBED:
        write_subscribed(&to, body);
        break;
    case VMRING_LOCAL_SUPPORT:
        PUT(&to, "support");
        put_number(&to, "kinds",
                   ((const struct vmring_local_support *)body)->kinds);
        break;
    case VMRING_LOCAL_COUNTS:
        write_counts(&to, body);
        break;
    default:
        PUT(&to, "%s", message_kinds[kind].word);
    }
    return to.full ? -EINVAL : (int)to.len;
}
