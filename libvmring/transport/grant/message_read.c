/* SPDX-License-Identifier: MIT */
/* message_read.c: and back; the other domain may have written anything. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "../../text/verdicts.h"
#include "../../text/word.h"
#include "../../vmring.h"
#include "message.h"
#include "message_words.h"

struct reader {
    const char *at; /* what has not been read */
    bool bad;       /* it is no message: from now on all reads give 0 */
};

/* " KEY=", and what follows up to the next space or the end. */
static struct word take(struct reader *from, const char *key)
{
    size_t len = strlen(key);
    struct word value = {"", 0};

    if (from->bad || from->at[0] != ' ' || strncmp(from->at + 1, key, len) ||
        from->at[1 + len] != '=') {
        from->bad = true;
        return value;
    }
    value.at = from->at + len + 2;
    value.len = strcspn(value.at, " ");
    from->at = value.at + value.len;
    return value;
}

/* One way only to write a number: decimal. */
static uint64_t number_of(struct reader *from, struct word word, uint64_t max)
{
    uint64_t value = 0;

    if ((word.len > 1 && word.at[1] == 'x') || word_number(word, max, &value))
        from->bad = true;
    return from->bad ? 0 : value;
}

static uint64_t take_number(struct reader *from, const char *key, uint64_t max)
{
    return number_of(from, take(from, key), max);
}

static uint32_t take_u32(struct reader *from, const char *key)
{
    return (uint32_t)take_number(from, key, UINT32_MAX);
}

static uint32_t take_version(struct reader *from, const char *key)
{
    struct word minor = take(from, key), major;

    if (!word_cut(&minor, '.', &major))
        from->bad = true;
    return (uint32_t)(number_of(from, major, 0xffff) << 16 |
                      number_of(from, minor, 0xffff));
}

static uint32_t take_verdicts(struct reader *from, const char *key)
{
    struct word names = take(from, key);
    char text[VERDICTS_TEXT];
    uint32_t mask = 0;

    if (from->bad || names.len >= sizeof(text)) {
        from->bad = true;
        return 0;
    }
    memcpy(text, names.at, names.len);
    text[names.len] = '\0';
    if (vmring_verdicts_parse(text, &mask, NULL, 0))
        from->bad = true;
    return mask;
}

static uint32_t take_name(struct reader *from, const char *key,
                          const char *const *names, uint32_t nr)
{
    struct word name = take(from, key);

    for (uint32_t i = 0; i < nr; i++)
        if (word_is(name, names[i]))
            return i;
    from->bad = true;
    return 0;
}

/* A list of numbers, or "none".  Returns how many there are. */
static uint32_t take_list(struct reader *from, const char *key, uint64_t limit,
                          uint64_t *values, uint32_t max)
{
    struct word rest = take(from, key), word;
    uint32_t nr = 0;
    bool more;

    if (word_is(rest, "none"))
        return 0;
    do {
        more = word_cut(&rest, ',', &word);
        if (nr == max) {
            from->bad = true;
            return 0;
        }
        values[nr++] = number_of(from, word, limit);
    } while (more && !from->bad);
    return nr;
}

/* The last: all that is left. */
static void take_rest(struct reader *from, const char *key, char *text,
                      size_t size)
{
    struct word value = take(from, key);
    size_t len = from->bad ? 0 : strlen(value.at);

    if (len >= size)
        from->bad = true;
    if (from->bad)
        return;
    memcpy(text, value.at, len + 1);
    from->at = value.at + len;
}

static void read_propose(struct reader *from,
                         struct xen_vm_ring_propose *propose)
{
    propose->magic = XEN_VM_RING_MAGIC;
    propose->length = sizeof(*propose);
    propose->version_min = take_version(from, "version_min");
    propose->version_max = take_version(from, "version_max");
    propose->features_wanted = take_number(from, "features_wanted", UINT64_MAX);
    propose->features_required =
        take_number(from, "features_required", UINT64_MAX);
    propose->async_len = take_number(from, "async_len", UINT64_MAX);
    propose->deadline = take_number(from, "deadline", UINT64_MAX);
    propose->record_len = take_u32(from, "record_len");
    propose->policy =
        take_name(from, "policy", message_policies, MESSAGE_POLICIES);
    propose->nr_groups = take_u32(from, "groups");
    propose->verdicts = take_verdicts(from, "verdicts");
}

static void read_accept(struct reader *from, struct message_accept *message)
{
    struct xen_vm_ring_accept *accept = &message->wire.body;
    uint64_t list[XEN_VM_RING_MAX_GROUPS];
    uint32_t nr;

    accept->magic = XEN_VM_RING_MAGIC;
    accept->length = sizeof(*accept);
    accept->result = take_u32(from, "result");
    accept->version = take_version(from, "version");
    accept->features = take_number(from, "features", UINT64_MAX);
    accept->async_len = take_number(from, "async_len", UINT64_MAX);
    accept->deadline = take_number(from, "deadline", UINT64_MAX);
    accept->record_len = take_u32(from, "record_len");
    accept->policy =
        take_name(from, "policy", message_policies, MESSAGE_POLICIES);
    accept->nr_groups = take_u32(from, "groups");
    accept->verdicts = take_verdicts(from, "verdicts");
    accept->epoch = take_number(from, "epoch", UINT64_MAX);
    accept->p_len = take_number(from, "p_len", UINT64_MAX);
    accept->c_len = take_number(from, "c_len", UINT64_MAX);
    nr = take_list(from, "prev_p_len", UINT64_MAX, list, XEN_VM_RING_MAX_PREV);
    for (uint32_t i = 0; i < nr; i++)
        accept->prev_p_len[i] = list[i];
    accept->min_async_len = take_number(from, "min_async_len", UINT64_MAX);
    accept->max_async_len = take_number(from, "max_async_len", UINT64_MAX);
    accept->max_deadline = take_number(from, "max_deadline", UINT64_MAX);
    accept->nr_vcpus = take_u32(from, "vcpus");
    accept->arch = take_name(from, "arch", message_archs, MESSAGE_ARCHS);
    accept->max_groups = take_u32(from, "max_groups");
    accept->allowed_verdicts = take_verdicts(from, "allowed_verdicts");
    message->directory = take_u32(from, "directory");
    nr = take_list(from, "ports", UINT32_MAX, list, XEN_VM_RING_MAX_GROUPS);
    message->nr_ports = nr;
    for (uint32_t i = 0; i < nr; i++)
        message->ports[i] = (uint32_t)list[i];
    take_rest(from, "target", message->wire.target,
              sizeof(message->wire.target));
}

static void read_subscribed(struct reader *from,
                            struct vmring_local_subscribed *answer)
{
    struct word results = take(from, "results");

    if (results.len > sizeof(answer->results))
        from->bad = true;
    for (size_t i = 0; i < results.len && !from->bad; i++) {
        if (results.at[i] < '0' || results.at[i] > '9')
            from->bad = true;
        answer->results[i] = (uint8_t)(results.at[i] - '0');
    }
    answer->nr = (uint32_t)results.len;
    take_rest(from, "text", answer->text, sizeof(answer->text));
}

#define VALUES 7 /* of a row */

static void read_row(struct reader *from, struct vmring_local_row *row)
{
    struct word rest = take(from, "row"), word;
    uint64_t values[VALUES];
    unsigned int nr = 0;
    bool more;

    do {
        more = word_cut(&rest, ':', &word);
        values[nr++] = number_of(from, word, UINT64_MAX);
    } while (more && nr < VALUES);
    if (more || nr < VALUES || values[0] > XEN_VM_RING_MAX_VCPUS ||
        values[1] >= XEN_VM_RING_NR_REASONS)
        from->bad = true;
    if (from->bad)
        return;
    *row = (struct vmring_local_row){
        .vcpu = (uint32_t)values[0],
        .reason = (uint32_t)values[1],
        .requests = values[2],
        .answered = values[3],
        .defaulted = values[4],
        .records = values[5],
        .discarded = values[6],
    };
}

static size_t read_counts(struct reader *from,
                          struct vmring_local_counts *counts)
{
    struct word next = take(from, "next");

    counts->next = VMRING_LOCAL_NO_MORE;
    if (!word_is(next, "none"))
        counts->next =
            (uint32_t)number_of(from, next, VMRING_LOCAL_NO_MORE - 1);
    while (!from->bad && *from->at && counts->nr < MESSAGE_ROWS)
        read_row(from, &counts->rows[counts->nr++]);
    return offsetof(struct vmring_local_counts, rows) +
           counts->nr * sizeof(counts->rows[0]);
}

/* Into a body that is all zeros.  Returns its length. */
static size_t read_body(struct reader *from, unsigned int kind, void *body)
{
    switch (message_kinds[kind].type) {
    case VMRING_LOCAL_PROPOSE:
        read_propose(from, body);
        break;
    case VMRING_LOCAL_SUBSCRIBE:
        ((struct message_subscribe *)body)->nr_parts =
            (uint32_t)take_number(from, "parts", MESSAGE_PARTS);
        break;
    case VMRING_LOCAL_COUNT:
        ((struct vmring_local_count *)body)->from = take_u32(from, "from");
        break;
    case VMRING_LOCAL_ACCEPT:
        read_accept(from, body);
        break;
    case VMRING_LOCAL_SUBSCRIBED:
        read_subscribed(from, body);
        break;
    case VMRING_LOCAL_SUPPORT:
        ((struct vmring_local_support *)body)->kinds =
            take_number(from, "kinds", UINT64_MAX);
        break;
    case VMRING_LOCAL_COUNTS:
        return read_counts(from, body);
    default:
        break;
    }
    return message_kinds[kind].len;
}

int message_read(const char *text, uint32_t *type, void *body, size_t max)
{
    struct word word = {text, strcspn(text, " ")};
    struct reader from = {.at = text + word.len};
    unsigned int kind = 0;
    size_t len;

    while (kind < MESSAGE_KINDS && !word_is(word, message_kinds[kind].word))
        kind++;
    if (kind == MESSAGE_KINDS || message_kinds[kind].len > max ||
        strlen(text) >= MESSAGE_MAX)
        return -EPROTO;
    for (const char *at = text; *at; at++)
        if (*at < ' ' || *at > '~')
            return -EPROTO;
    memset(body, 0, message_kinds[kind].len);
    len = read_body(&from, kind, body);
    if (from.bad || *from.at)
        return -EPROTO;
    *type = message_kinds[kind].type;
    return (int)len;
}

const char *message_field(const char *text, const char *key, uint64_t max,
                          uint64_t *value)
{
    struct reader from = {.at = text};

    *value = take_number(&from, key, max);
    return from.bad ? NULL : from.at;
}
