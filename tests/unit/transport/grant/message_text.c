/* SPDX-License-Identifier: MIT */
/*
 * Description: control messages as text: the longest fit into a node, each
 * comes back as it was, and of what another domain may have written only what
 * we would have written ourselves is taken.
 */
#include <errno.h>
#include <stdint.h>

#include "check.h"
#include "transport/grant/message.h"

/* Aligned like any body. */
static union {
    unsigned char bytes[VMRING_LOCAL_MAX];
    struct message_accept accept;
    struct vmring_local_counts counts;
} body, back;

static int round_trip(uint32_t type, size_t len, char text[MESSAGE_MAX])
{
    uint32_t got;
    int ret = message_write(type, body.bytes, len, text);

    CHECK(ret > 0 && ret < MESSAGE_MAX);
    CHECK_EQ(strlen(text), (size_t)ret);
    memset(&back, 0xa5, sizeof(back));
    CHECK_EQ(message_read(text, &got, back.bytes, sizeof(back)), (int)len);
    CHECK_EQ(got, type);
    CHECK(!memcmp(&body, &back, len));
    return ret;
}

static void fill_accept(struct message_accept *message)
{
    struct xen_vm_ring_accept *accept = &message->wire.body;

    memset(message, 0, sizeof(*message));
    *accept = (struct xen_vm_ring_accept){
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(*accept),
        .result = UINT32_MAX,
        .version = UINT32_MAX,
        .features = UINT64_MAX,
        .async_len = UINT64_MAX,
        .deadline = UINT64_MAX,
        .record_len = UINT32_MAX,
        .policy = XEN_VM_RING_POLICY_OVERWRITE,
        .nr_groups = UINT32_MAX,
        .verdicts = XEN_VM_RING_VERDICTS,
        .epoch = UINT64_MAX,
        .p_len = UINT64_MAX,
        .c_len = UINT64_MAX,
        .min_async_len = UINT64_MAX,
        .max_async_len = UINT64_MAX,
        .max_deadline = UINT64_MAX,
        .nr_vcpus = UINT32_MAX,
        .arch = XEN_VM_RING_ARCH_ARM,
        .max_groups = UINT32_MAX,
        .allowed_verdicts = XEN_VM_RING_VERDICTS,
    };
    for (int i = 0; i < XEN_VM_RING_MAX_PREV; i++)
        accept->prev_p_len[i] = UINT64_MAX;
    message->directory = UINT32_MAX;
    message->nr_ports = XEN_VM_RING_MAX_GROUPS;
    for (int i = 0; i < XEN_VM_RING_MAX_GROUPS; i++)
        message->ports[i] = UINT32_MAX;
    memset(message->wire.target, 'x', sizeof(message->wire.target) - 1);
}

/* As long as they can be. */
static void longest(char texts[3][MESSAGE_MAX])
{
    struct vmring_local_subscribed *subscribed = (void *)&body;

    fill_accept(&body.accept);
    round_trip(VMRING_LOCAL_ACCEPT, sizeof(body.accept), texts[0]);

    memset(&body, 0, sizeof(body));
    subscribed->nr = sizeof(subscribed->results);
    memset(subscribed->results, 3, sizeof(subscribed->results));
    memset(subscribed->text, 'y', sizeof(subscribed->text) - 1);
    round_trip(VMRING_LOCAL_SUBSCRIBED, sizeof(*subscribed), texts[1]);

    memset(&body, 0xff, sizeof(body));
    body.counts.next = VMRING_LOCAL_NO_MORE - 1;
    body.counts.nr = MESSAGE_ROWS;
    for (int i = 0; i < MESSAGE_ROWS; i++) {
        body.counts.rows[i].vcpu = XEN_VM_RING_MAX_VCPUS; /* the foreign lane */
        body.counts.rows[i].reason = XEN_VM_RING_NR_REASONS - 1;
    }
    round_trip(VMRING_LOCAL_COUNTS,
               offsetof(struct vmring_local_counts, rows) +
                   MESSAGE_ROWS * sizeof(body.counts.rows[0]),
               texts[2]);
}

/* As they look. */
/* Messages whose body is zero, or none. */
static const struct {
    const char *row;
    uint32_t type;
    size_t len;
    const char *text; /* NULL: whatever it is */
} plain[] = {
    {"count", VMRING_LOCAL_COUNT, sizeof(struct vmring_local_count),
     "count from=0"},
    {"support", VMRING_LOCAL_SUPPORT, sizeof(struct vmring_local_support),
     NULL},
    {"subscribe", VMRING_LOCAL_SUBSCRIBE, sizeof(struct message_subscribe),
     "subscribe parts=0"},
    {"ok", MESSAGE_OK, 0, NULL},
    {"supported", VMRING_LOCAL_SUPPORTED, 0, NULL},
    {"quiesce", VMRING_LOCAL_QUIESCE, 0, NULL},
    {"drained", VMRING_LOCAL_DRAINED, 0, NULL},
    {"detach", VMRING_LOCAL_DETACH, 0, NULL},
    {"quiet", VMRING_LOCAL_QUIET, 0, "quiet"},
};

static void spelled(void)
{
    struct xen_vm_ring_propose *propose = (void *)&body;
    char text[MESSAGE_MAX];

    memset(&body, 0, sizeof(body));
    *propose = (struct xen_vm_ring_propose){
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(*propose),
        .version_min = 0x10000,
        .version_max = 0x10002,
        .features_wanted = 3,
        .async_len = 65536,
        .nr_groups = 4,
        .verdicts = XEN_VM_RING_VERDICT_DENY | XEN_VM_RING_VERDICT_INJECT,
    };
    round_trip(VMRING_LOCAL_PROPOSE, sizeof(*propose), text);
    CHECK_STR(text, "propose version_min=1.0 version_max=1.2 features_wanted=3 "
                    "features_required=0 async_len=65536 deadline=0 "
                    "record_len=0 policy=discard groups=4 "
                    "verdicts=deny,inject");
    memset(&body, 0, sizeof(body));
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        CHECK_ROW(plain[i].row);
        round_trip(plain[i].type, plain[i].len, text);
        if (plain[i].text)
            CHECK_STR(text, plain[i].text);
    }
    CHECK_ROW(NULL);
}

static void not_spelled(void)
{
    struct xen_vm_ring_propose *propose = (void *)&body;
    char text[MESSAGE_MAX];

    memset(&body, 0, sizeof(body));
    CHECK_EQ(message_write(99, NULL, 0, text), -EINVAL);
    CHECK_EQ(message_write(VMRING_LOCAL_DETACH, &body, 1, text), -EINVAL);
    /* A policy without a name. */
    propose->policy = XEN_VM_RING_POLICY_OVERWRITE + 1;
    CHECK_EQ(
        message_write(VMRING_LOCAL_PROPOSE, propose, sizeof(*propose), text),
        -EINVAL);
}

/* Of what is said to be more than there is room for, there is that much. */
static void cut(void)
{
    struct vmring_local_subscribed *subscribed = (void *)&body;
    char text[MESSAGE_MAX];
    uint32_t type;

    memset(&body, 0, sizeof(body));
    subscribed->nr = sizeof(subscribed->results) + 1;
    CHECK(message_write(VMRING_LOCAL_SUBSCRIBED, &body, sizeof(*subscribed),
                        text) > 0);
    CHECK(message_read(text, &type, back.bytes, sizeof(back)) > 0);
    CHECK_EQ(((struct vmring_local_subscribed *)(void *)&back)->nr,
             sizeof(subscribed->results));
    memset(&body, 0, sizeof(body));
    body.counts.nr = MESSAGE_ROWS + 1;
    CHECK(message_write(VMRING_LOCAL_COUNTS, &body, sizeof(body.counts), text) >
          0);
    CHECK(message_read(text, &type, back.bytes, sizeof(back)) > 0);
    CHECK_EQ(back.counts.nr, MESSAGE_ROWS);
}

static int read_text(const char *text)
{
    uint32_t type;

    return message_read(text, &type, back.bytes, sizeof(back));
}

static void refused(void)
{
    static const char *const texts[] = {
        "",
        " ",
        "detac",
        "detach ",
        "detach now=1",
        "count",
        "count from=",
        "count from= 1",
        "count from=01",
        "count from=0x1",
        "count from=-1",
        "count from=4294967296",
        "count from=1 ",
        "count  from=1",
        "count form=1",
        "count from=1\n",
        "subscribe parts=99",
        "support kinds=18446744073709551616",
        "counts next=none row=1:2:3:4:5:6",
        "counts next=none row=1:2:3:4:5:6:7:8",
        "counts next=4294967295",
        "counts next=none row=4097:2:3:4:5:6:7",
        "counts next=none row=1:17:3:4:5:6:7",
        "subscribed results=01x text=",
        "subscribed results=01",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        CHECK_ROW(texts[i]);
        CHECK_EQ(read_text(texts[i]), -EPROTO);
    }
    CHECK_ROW(NULL);
}

static void room_is_kept(void)
{
    char text[MESSAGE_MAX + 64];
    uint32_t type;

    CHECK_EQ(read_text("count from=4294967295"), 8);
    /* No room for it. */
    CHECK_EQ(message_read("count from=1", &type, back.bytes, 7), -EPROTO);
    /* One row more than there is room for. */
    strcpy(text, "counts next=none");
    for (int i = 0; i < MESSAGE_ROWS; i++)
        strcat(text, " row=1:2:3:4:5:6:7");
    CHECK(read_text(text) > 0);
    strcat(text, " row=1:2:3:4:5:6:7");
    CHECK_EQ(read_text(text), -EPROTO);
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memcpy(text, "subscribed results= text=", 25);
    CHECK_EQ(read_text(text), -EPROTO);
}

static uint32_t random_number(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

/* One change of a text; pieces of others come in. */
static void change(char *text, char texts[3][MESSAGE_MAX])
{
    size_t len = strlen(text), at = len ? random_number() % len : 0;
    const char *other = texts[random_number() % 3];
    size_t from = random_number() % strlen(other);

    switch (random_number() % 5) {
    case 0:
        text[at] = (char)(random_number() % 255 + 1);
        break;
    case 1:
        memmove(text + at, text + at + (len > 0), len - at + (len == 0));
        break;
    case 2:
        text[at] = " =,:0123456789.-x"[random_number() % 17];
        break;
    case 3:
        text[at] = '\0';
        break;
    default:
        snprintf(text + at, MESSAGE_MAX + 64 - at, "%s", other + from);
    }
}

/*
 * Whatever stands there: it is refused, or it is what would be written of
 * what was read, letter by letter.
 */
static void mangled(char texts[3][MESSAGE_MAX])
{
    unsigned int taken = 0;

    for (int round = 0; round < 40000; round++) {
        char text[MESSAGE_MAX + 64], again[MESSAGE_MAX];
        uint32_t type;
        int len;

        strcpy(text, texts[round % 3]);
        for (uint32_t i = random_number() % 4; i; i--)
            change(text, texts);
        len = message_read(text, &type, back.bytes, sizeof(back));
        if (len < 0) {
            CHECK_EQ(len, -EPROTO);
            continue;
        }
        taken++;
        CHECK((size_t)len <= sizeof(back));
        CHECK_EQ(message_write(type, back.bytes, (size_t)len, again),
                 (int)strlen(text));
        CHECK_STR(again, text);
    }
    CHECK(taken > 10000);
}

int main(void)
{
    static char texts[3][MESSAGE_MAX];

    spelled();
    not_spelled();
    cut();
    longest(texts);
    refused();
    room_is_kept();
    mangled(texts);
    return 0;
}
