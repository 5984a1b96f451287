/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../verdicts.h"
#include "../vmring.h"
#include "../word.h"

/* --- Writing --- */

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

static const char *const policies[] = {"discard", "overwrite"};
static const char *const archs[] = {"none", "x86", "arm"};

#define NR(array) (sizeof(array) / sizeof(*(array)))

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
    put_name(to, "policy", policies, NR(policies), propose->policy);
    put_number(to, "groups", propose->nr_groups);
    put_verdicts(to, "verdicts", propose->verdicts);
}

static void write_grant(struct writer *to, const struct message_grant *message)
{
    const struct xen_vm_ring_grant *grant = &message->grant.grant;

    PUT(to, "grant");
    put_number(to, "result", grant->result);
    put_version(to, "version", grant->version);
    put_number(to, "features", grant->features);
    put_number(to, "async_len", grant->async_len);
    put_number(to, "deadline", grant->deadline);
    put_number(to, "record_len", grant->record_len);
    put_name(to, "policy", policies, NR(policies), grant->policy);
    put_number(to, "groups", grant->nr_groups);
    put_verdicts(to, "verdicts", grant->verdicts);
    put_number(to, "epoch", grant->epoch);
    put_number(to, "p_len", grant->p_len);
    put_number(to, "c_len", grant->c_len);
    for (int i = 0; i < XEN_VM_RING_MAX_PREV && grant->prev_p_len[i]; i++)
        PUT(to, "%s%" PRIu64, i ? "," : " prev_p_len=", grant->prev_p_len[i]);
    if (!grant->prev_p_len[0])
        PUT(to, " prev_p_len=none");
    put_number(to, "min_async_len", grant->min_async_len);
    put_number(to, "max_async_len", grant->max_async_len);
    put_number(to, "max_deadline", grant->max_deadline);
    put_number(to, "vcpus", grant->nr_vcpus);
    put_name(to, "arch", archs, NR(archs), grant->arch);
    put_number(to, "max_groups", grant->max_groups);
    put_verdicts(to, "allowed_verdicts", grant->allowed_verdicts);
    put_number(to, "directory", message->directory);
    for (uint32_t i = 0; i < message->nr_ports; i++)
        PUT(to, "%s%u", i ? "," : " ports=", message->ports[i]);
    if (!message->nr_ports)
        PUT(to, " ports=none");
    PUT(to, " target=%.*s", (int)sizeof(message->grant.target) - 1,
        message->grant.target);
}

static void write_subscribed(struct writer *to,
                             const struct wire_subscribed *answer)
{
    PUT(to, "subscribed results=");
    for (uint32_t i = 0; i < answer->nr && i < sizeof(answer->results); i++)
        PUT(to, "%u", answer->results[i] % 10u);
    PUT(to, " text=%.*s", (int)sizeof(answer->text) - 1, answer->text);
}

static void write_counts(struct writer *to, const struct wire_counts *counts)
{
    PUT(to, "counts");
    if (counts->next == WIRE_NO_MORE)
        PUT(to, " next=none");
    else
        put_number(to, "next", counts->next);
    for (uint32_t i = 0; i < counts->nr && i < MESSAGE_ROWS; i++) {
        const struct wire_count *row = &counts->rows[i];

        PUT(to,
            " row=%u:%u:%" PRIu64 ":%" PRIu64 ":%" PRIu64 ":%" PRIu64
            ":%" PRIu64,
            row->vcpu, row->reason, (uint64_t)row->requests,
            (uint64_t)row->answered, (uint64_t)row->defaulted,
            (uint64_t)row->records, (uint64_t)row->discarded);
    }
}

/* The words of messages, and how long their bodies are: 0: any length. */
static const struct {
    const char *word;
    uint32_t type;
    size_t len;
} kinds[] = {
    {"ok", WIRE_OK, 0},
    {"propose", WIRE_PROPOSE, sizeof(struct xen_vm_ring_propose)},
    {"subscribe", WIRE_SUBSCRIBE, sizeof(struct message_subscribe)},
    {"supported", WIRE_SUPPORTED, 0},
    {"count", WIRE_COUNT, sizeof(struct wire_count_request)},
    {"quiesce", WIRE_QUIESCE, 0},
    {"detach", WIRE_DETACH, 0},
    {"drained", WIRE_DRAINED, 0},
    {"grant", WIRE_GRANT, sizeof(struct message_grant)},
    {"subscribed", WIRE_SUBSCRIBED, sizeof(struct wire_subscribed)},
    {"support", WIRE_SUPPORT, sizeof(struct wire_support)},
    {"counts", WIRE_COUNTS, sizeof(struct wire_counts)},
    {"quiet", WIRE_QUIET, 0},
};

static unsigned int kind_of(uint32_t type)
{
    unsigned int i = 0;

    while (i < NR(kinds) && kinds[i].type != type)
        i++;
    return i;
}

int message_write(uint32_t type, const void *body, size_t len,
                  char text[MESSAGE_MAX])
{
    struct writer to = {.text = text};
    unsigned int kind = kind_of(type);

    /* Rows that are not there need not be. */
    if (kind == NR(kinds) || (len != kinds[kind].len && type != WIRE_COUNTS))
        return -EINVAL;
    switch (type) {
    case WIRE_PROPOSE:
        write_propose(&to, body);
        break;
    case WIRE_SUBSCRIBE:
        PUT(&to, "subscribe");
        put_number(&to, "parts",
                   ((const struct message_subscribe *)body)->nr_parts);
        break;
    case WIRE_COUNT:
        PUT(&to, "count");
        put_number(&to, "from",
                   ((const struct wire_count_request *)body)->from);
        break;
    case WIRE_GRANT:
        write_grant(&to, body);
        break;
    case WIRE_SUBSCRIBED:
        write_subscribed(&to, body);
        break;
    case WIRE_SUPPORT:
        PUT(&to, "support");
        put_number(&to, "kinds", ((const struct wire_support *)body)->kinds);
        break;
    case WIRE_COUNTS:
        write_counts(&to, body);
        break;
    default:
        PUT(&to, "%s", kinds[kind].word);
    }
    return to.full ? -EINVAL : (int)to.len;
}

/* --- Reading --- */

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

    if ((word.len > 1 && word.at[1] == 'x') ||
        vmring_word_number(word, max, &value))
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

    if (!vmring_word_cut(&minor, '.', &major))
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
        if (vmring_word_is(name, names[i]))
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

    if (vmring_word_is(rest, "none"))
        return 0;
    do {
        more = vmring_word_cut(&rest, ',', &word);
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
    propose->policy = take_name(from, "policy", policies, NR(policies));
    propose->nr_groups = take_u32(from, "groups");
    propose->verdicts = take_verdicts(from, "verdicts");
}

static void read_grant(struct reader *from, struct message_grant *message)
{
    struct xen_vm_ring_grant *grant = &message->grant.grant;
    uint64_t list[XEN_VM_RING_MAX_GROUPS];
    uint32_t nr;

    grant->magic = XEN_VM_RING_MAGIC;
    grant->length = sizeof(*grant);
    grant->result = take_u32(from, "result");
    grant->version = take_version(from, "version");
    grant->features = take_number(from, "features", UINT64_MAX);
    grant->async_len = take_number(from, "async_len", UINT64_MAX);
    grant->deadline = take_number(from, "deadline", UINT64_MAX);
    grant->record_len = take_u32(from, "record_len");
    grant->policy = take_name(from, "policy", policies, NR(policies));
    grant->nr_groups = take_u32(from, "groups");
    grant->verdicts = take_verdicts(from, "verdicts");
    grant->epoch = take_number(from, "epoch", UINT64_MAX);
    grant->p_len = take_number(from, "p_len", UINT64_MAX);
    grant->c_len = take_number(from, "c_len", UINT64_MAX);
    nr = take_list(from, "prev_p_len", UINT64_MAX, list, XEN_VM_RING_MAX_PREV);
    for (uint32_t i = 0; i < nr; i++)
        grant->prev_p_len[i] = list[i];
    grant->min_async_len = take_number(from, "min_async_len", UINT64_MAX);
    grant->max_async_len = take_number(from, "max_async_len", UINT64_MAX);
    grant->max_deadline = take_number(from, "max_deadline", UINT64_MAX);
    grant->nr_vcpus = take_u32(from, "vcpus");
    grant->arch = take_name(from, "arch", archs, NR(archs));
    grant->max_groups = take_u32(from, "max_groups");
    grant->allowed_verdicts = take_verdicts(from, "allowed_verdicts");
    message->directory = take_u32(from, "directory");
    nr = take_list(from, "ports", UINT32_MAX, list, XEN_VM_RING_MAX_GROUPS);
    message->nr_ports = nr;
    for (uint32_t i = 0; i < nr; i++)
        message->ports[i] = (uint32_t)list[i];
    take_rest(from, "target", message->grant.target,
              sizeof(message->grant.target));
}

static void read_subscribed(struct reader *from, struct wire_subscribed *answer)
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

static void read_row(struct reader *from, struct wire_count *row)
{
    struct word rest = take(from, "row"), word;
    uint64_t values[7];
    unsigned int nr = 0;
    bool more;

    do {
        more = vmring_word_cut(&rest, ':', &word);
        values[nr++] = number_of(from, word, UINT64_MAX);
    } while (more && nr < NR(values));
    if (more || nr < NR(values) || values[0] > XEN_VM_RING_MAX_VCPUS ||
        values[1] >= XEN_VM_RING_NR_REASONS)
        from->bad = true;
    if (from->bad)
        return;
    *row = (struct wire_count){
        .vcpu = (uint32_t)values[0],
        .reason = (uint32_t)values[1],
        .requests = values[2],
        .answered = values[3],
        .defaulted = values[4],
        .records = values[5],
        .discarded = values[6],
    };
}

static size_t read_counts(struct reader *from, struct wire_counts *counts)
{
    struct word next = take(from, "next");

    counts->next = WIRE_NO_MORE;
    if (!vmring_word_is(next, "none"))
        counts->next = (uint32_t)number_of(from, next, WIRE_NO_MORE - 1);
    while (!from->bad && *from->at && counts->nr < MESSAGE_ROWS)
        read_row(from, &counts->rows[counts->nr++]);
    return offsetof(struct wire_counts, rows) +
           counts->nr * sizeof(counts->rows[0]);
}

/* Into a body that is all zeros.  Returns its length. */
static size_t read_body(struct reader *from, unsigned int kind, void *body)
{
    switch (kinds[kind].type) {
    case WIRE_PROPOSE:
        read_propose(from, body);
        break;
    case WIRE_SUBSCRIBE:
        ((struct message_subscribe *)body)->nr_parts =
            (uint32_t)take_number(from, "parts", MESSAGE_PARTS);
        break;
    case WIRE_COUNT:
        ((struct wire_count_request *)body)->from = take_u32(from, "from");
        break;
    case WIRE_GRANT:
        read_grant(from, body);
        break;
    case WIRE_SUBSCRIBED:
        read_subscribed(from, body);
        break;
    case WIRE_SUPPORT:
        ((struct wire_support *)body)->kinds =
            take_number(from, "kinds", UINT64_MAX);
        break;
    case WIRE_COUNTS:
        return read_counts(from, body);
    default:
        break;
    }
    return kinds[kind].len;
}

int message_read(const char *text, uint32_t *type, void *body, size_t max)
{
    struct word word = {text, strcspn(text, " ")};
    struct reader from = {.at = text + word.len};
    unsigned int kind = 0;
    size_t len;

    while (kind < NR(kinds) && !vmring_word_is(word, kinds[kind].word))
        kind++;
    if (kind == NR(kinds) || kinds[kind].len > max ||
        strlen(text) >= MESSAGE_MAX)
        return -EPROTO;
    for (const char *at = text; *at; at++)
        if (*at < ' ' || *at > '~')
            return -EPROTO;
    memset(body, 0, kinds[kind].len);
    len = read_body(&from, kind, body);
    if (from.bad || *from.at)
        return -EPROTO;
    *type = kinds[kind].type;
    return (int)len;
}

const char *message_field(const char *text, const char *key, uint64_t max,
                          uint64_t *value)
{
    struct reader from = {.at = text};

    *value = take_number(&from, key, max);
    return from.bad ? NULL : from.at;
}
