/* SPDX-License-Identifier: MIT */
/*
 * Description: either end of a rendezvous finds what the other would never
 * write, or cannot write on itself: an error, never a message.
 */
#include <errno.h>
#include <inttypes.h>

#include "faults.h"
#include "meeting.h"

static struct rendezvous_bridge *bridge;
static struct rendezvous_agent *agent;
static struct rendezvous_message body;
static uint32_t type;

static int opened(void)
{
    char error[256] = "";
    int err;

    fake_xenstore.domid = MEETING_AGENT;
    err = rendezvous_open(0, "5", &agent, error, sizeof(error));
    CHECK(err && *error);
    return err;
}

static void put(const char *node, const char *text)
{
    char path[128];

    snprintf(path, sizeof(path), MEETING "/%s", node);
    CHECK(fake_xenstore_put(0, path, text, SIZE_MAX));
}

static void trees(void)
{
    char error[256], longer[2051];

    bridge = meeting_serve();
    put("version", "2");
    CHECK_EQ(opened(), -EOPNOTSUPP);
    put("bridge", "x");
    CHECK_EQ(opened(), -EPROTO);
    memset(longer, '1', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    put("bridge", longer);
    CHECK_EQ(opened(), -EPROTO);
    rendezvous_serve_end(bridge);
    /* It was not ours any more by that number. */
    CHECK(fake_xenstore_put(0, MEETING_ABOVE, NULL, 0));
    fake_xenstore_check_empty(MEETING_ABOVE);

    fake_xenstore.domid = 0;
    CHECK(fake_xenstore_put(0, "/local/domain/0/domid", "self", SIZE_MAX));
    CHECK_EQ(
        rendezvous_serve(MEETING_AGENT, "5", &bridge, error, sizeof(error)),
        -EPROTO);
    CHECK_HAS(error, "which domain this is");
    meeting_prepare();
}

/* What an agent gets for its one request: its session between two texts. */
static void reply_is(const char *before, const char *after, size_t max, int err)
{
    const struct rendezvous_message *request;
    char reply[256];

    bridge = meeting_serve();
    agent = meeting_open();
    CHECK_EQ(rendezvous_send(agent, VMRING_LOCAL_SUPPORTED, NULL, 0), 0);
    request = meeting_next(bridge);
    snprintf(reply, sizeof(reply), "%s%" PRIu64 "%s", before, request->session,
             after);
    put("reply", reply);
    CHECK_EQ(rendezvous_recv(agent, &type, &body.body, max), err);
    rendezvous_close(agent);
    rendezvous_serve_end(bridge);
    fake_xenstore_check_empty(MEETING_ABOVE);
}

static void replies(void)
{
    reply_is("session=", " seq=1 support kinds=7", 8, 8);
    reply_is("session=", " seq=1 support kinds=7", 7, -EPROTO);
    reply_is("session=", " seq=1 support kinds=x", 8, -EPROTO);
    reply_is("session=", " seq=2 support kinds=7", 8, -EPROTO);
    reply_is("session=", " seq=1", 8, -EPROTO);
    reply_is("session=", " support kinds=7", 8, -EPROTO);
    reply_is("seq=1 session=", " support kinds=7", 8, -EPROTO);
}

/* Whoever is taken at his word says how much there is to read. */
static void requests(void)
{
    char text[256], part[MESSAGE_PART + 2], path[80];
    unsigned long long number;

    bridge = meeting_serve();
    number = strtoull(fake_xenstore_get(0, MEETING "/bridge"), NULL, 10);
    snprintf(text, sizeof(text), "bridge=%llu session=3 seq=1", number);
    put("agent/request", text);
    meeting_none(bridge);
    memset(part, 'x', sizeof(part));
    part[MESSAGE_PART + 1] = '\0';
    put("agent/events/0", part);
    snprintf(text, sizeof(text),
             "bridge=%llu session=3 seq=2 subscribe parts=1", number);
    put("agent/request", text);
    CHECK_EQ(meeting_next(bridge)->type, UINT32_MAX);
    part[MESSAGE_PART] = '\0';
    for (int i = 0; i < MESSAGE_PARTS; i++) {
        snprintf(path, sizeof(path), "agent/events/%d", i);
        put(path, part);
    }
    snprintf(text, sizeof(text),
             "bridge=%llu session=3 seq=3 subscribe parts=%d", number,
             MESSAGE_PARTS);
    put("agent/request", text);
    CHECK_EQ(meeting_next(bridge)->type, UINT32_MAX);
    rendezvous_serve_end(bridge);
    fake_xenstore_check_empty(MEETING_ABOVE);
}

/* The second of two nodes is not written after the first was not. */
static void parts(void)
{
    char events[MESSAGE_PART + 1];

    memset(events, 'x', sizeof(events));
    bridge = meeting_serve();
    agent = meeting_open();
    fake_xenstore.fail_errno = ENOSPC;
    fake_xenstore.fail_at = fake_xenstore.calls + 1;
    CHECK_EQ(
        rendezvous_send(agent, VMRING_LOCAL_SUBSCRIBE, events, sizeof(events)),
        -ENOSPC);
    CHECK(!fake_xenstore_get(0, MEETING "/agent/events/1"));
    rendezvous_close(agent);
    rendezvous_serve_end(bridge);
}

/* There is an answer, but the next request cannot be written. */
static void next_fails(void)
{
    static const struct vmring_local_support support = {7};
    const struct rendezvous_message *request;

    bridge = meeting_serve();
    agent = meeting_open();
    CHECK_EQ(rendezvous_send(agent, VMRING_LOCAL_SUPPORTED, NULL, 0), 0);
    CHECK_EQ(rendezvous_send(agent, VMRING_LOCAL_QUIESCE, NULL, 0), 0);
    request = meeting_next(bridge);
    CHECK_EQ(meeting_reply(bridge, request->session, request->seq,
                           VMRING_LOCAL_SUPPORT, &support, sizeof(support)),
             0);
    /* It reads whose tree it is, and the answer. */
    fake_xenstore.fail_at = fake_xenstore.calls + 3;
    CHECK_EQ(rendezvous_recv(agent, &type, &body.body, sizeof(body.body)),
             -ENOSPC);
    CHECK(!rendezvous_is_waiting(agent));
    rendezvous_close(agent);
    rendezvous_serve_end(bridge);
    fake_xenstore_check_empty(MEETING_ABOVE);
}

static void prepare(void)
{
    bridge = meeting_serve();
    agent = meeting_open();
}

static int subscribe(void)
{
    return rendezvous_send(agent, VMRING_LOCAL_SUBSCRIBE, "cpuid", 5);
}

static int open_agent(void)
{
    fake_xenstore.domid = MEETING_AGENT;
    return rendezvous_open(0, "5", &agent, NULL, 0);
}

static int serve_bridge(void)
{
    fake_xenstore.domid = 0;
    return rendezvous_serve(MEETING_AGENT, "5", &bridge, NULL, 0);
}

/* Either end cannot begin, whatever fails, or does. */
static void begins(int (*begin)(void), void (*end)(void))
{
    unsigned int failed = 0;
    struct fault fault;
    bool fired;

    for (unsigned int nth = 1;; nth++) {
        int err;

        faults_arm(nth);
        err = begin();
        fired = faults_disarm(&fault);
        if (!err)
            end();
        else
            failed++;
        if (!strcmp(fault.call, "getrandom"))
            CHECK_EQ(err, -fault.err);
        if (!fired)
            break;
        CHECK_EQ(fake_xenstore.transactions, 0);
    }
    CHECK(failed > 2);
}

static void end_agent(void)
{
    rendezvous_close(agent);
}

static void end_bridge(void)
{
    rendezvous_serve_end(bridge);
    fake_xenstore_check_empty(MEETING_ABOVE);
}

static void settle(void)
{
    rendezvous_close(agent);
    rendezvous_serve_end(bridge);
}

int main(void)
{
    const struct walk sending = {prepare, subscribe, settle, NULL, 0};

    meeting_prepare();
    trees();
    replies();
    requests();
    parts();
    next_fails();
    CHECK_EQ(faults_walk(&sending), 2);
    begins(serve_bridge, end_bridge);
    bridge = meeting_serve();
    begins(open_agent, end_agent);
    fake_xenstore_lose(true);
    CHECK(open_agent() < 0);
    fake_xenstore_lose(false);
    rendezvous_serve_end(bridge);
    return 0;
}
