/* SPDX-License-Identifier: MIT */
/*
 * Description: requests go through xenstore one after the other, each answered
 * before the next is written, long ones in several nodes; only the agent's
 * domain can read and answer; at the end nothing is left.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "meeting.h"

static uint32_t type;
static union {
    unsigned char bytes[VMRING_LOCAL_MAX];
    struct vmring_local_counts counts;
} body;

static bool is_readable(int fd)
{
    struct pollfd pfd = {.fd = fd, .events = POLLIN};

    return poll(&pfd, 1, 0) == 1;
}

static void ok(struct rendezvous_bridge *bridge,
               const struct rendezvous_message *request)
{
    CHECK_EQ(meeting_reply(bridge, request->session, request->seq, MESSAGE_OK,
                           NULL, 0),
             0);
}

/* What nobody answers with more than that it was seen. */
static void queued(struct rendezvous_bridge *bridge,
                   struct rendezvous_agent *agent)
{
    static const uint32_t types[] = {VMRING_LOCAL_DRAINED, VMRING_LOCAL_QUIESCE,
                                     VMRING_LOCAL_SUPPORTED,
                                     VMRING_LOCAL_DETACH};
    const struct rendezvous_message *request;

    for (int i = 0; i < 4; i++)
        CHECK_EQ(rendezvous_send(agent, types[i], NULL, 0), 0);
    for (int i = 0; i < 4; i++) {
        request = meeting_next(bridge);
        CHECK_EQ(request->type, types[i]);
        meeting_none(bridge);
        CHECK(rendezvous_is_waiting(agent));
        if (types[i] == VMRING_LOCAL_SUPPORTED) {
            const struct vmring_local_support support = {0x1234};

            CHECK_EQ(meeting_reply(bridge, request->session, request->seq,
                                   VMRING_LOCAL_SUPPORT, &support,
                                   sizeof(support)),
                     0);
            CHECK_EQ(rendezvous_recv(agent, &type, &body, sizeof(body)), 8);
            CHECK_EQ(type, VMRING_LOCAL_SUPPORT);
            CHECK_EQ(body.bytes[0], 0x34);
        } else {
            ok(bridge, request);
            CHECK_EQ(rendezvous_recv(agent, &type, &body, sizeof(body)),
                     -EAGAIN);
        }
    }
    CHECK(!rendezvous_is_waiting(agent));
    /* The queue has an end. */
    for (int i = 0; i < 9; i++)
        CHECK_EQ(rendezvous_send(agent, VMRING_LOCAL_DRAINED, NULL, 0), 0);
    CHECK_EQ(rendezvous_send(agent, VMRING_LOCAL_DRAINED, NULL, 0), -EAGAIN);
    for (int i = 0; i < 9; i++) {
        ok(bridge, meeting_next(bridge));
        CHECK_EQ(rendezvous_recv(agent, &type, &body, sizeof(body)), -EAGAIN);
    }
}

/* Quiet overtakes nothing, and is overtaken by nothing. */
static void quiet(struct rendezvous_bridge *bridge,
                  struct rendezvous_agent *agent)
{
    const struct rendezvous_message *request;
    uint64_t session, seq;

    CHECK_EQ(rendezvous_send(agent, VMRING_LOCAL_QUIESCE, NULL, 0), 0);
    request = meeting_next(bridge);
    session = request->session;
    seq = request->seq;
    ok(bridge, request);
    CHECK_EQ(rendezvous_recv(agent, &type, &body, sizeof(body)), -EAGAIN);
    CHECK_EQ(rendezvous_send(agent, VMRING_LOCAL_SUPPORTED, NULL, 0), 0);
    request = meeting_next(bridge);
    CHECK_EQ(meeting_tell_quiet(bridge, session, seq), 0);
    memset(&body, 0, sizeof(body));
    CHECK_EQ(meeting_reply(bridge, session, request->seq, VMRING_LOCAL_SUPPORT,
                           &body, sizeof(struct vmring_local_support)),
             0);
    CHECK_EQ(rendezvous_recv(agent, &type, &body, sizeof(body)), 8);
    CHECK_EQ(rendezvous_recv(agent, &type, &body, sizeof(body)), 0);
    CHECK_EQ(type, VMRING_LOCAL_QUIET);
    CHECK_EQ(rendezvous_recv(agent, &type, &body, sizeof(body)), -EAGAIN);
    CHECK(!is_readable(rendezvous_fd(agent)));
}

/* More events than a node holds. */
static void subscribe(struct rendezvous_bridge *bridge,
                      struct rendezvous_agent *agent, size_t len)
{
    const struct rendezvous_message *request;
    char *events = malloc(len + 1);

    CHECK(events);
    for (size_t i = 0; i < len; i++)
        events[i] = "cpuid cr3\t\n,"[i % 12];
    CHECK_EQ(rendezvous_send(agent, VMRING_LOCAL_SUBSCRIBE, events, len), 0);
    request = meeting_next(bridge);
    CHECK_EQ(request->type, VMRING_LOCAL_SUBSCRIBE);
    CHECK_EQ(request->len, len);
    CHECK(!memcmp(request->body.bytes, events, len));
    ok(bridge, request);
    CHECK_EQ(rendezvous_recv(agent, &type, &body, sizeof(body)), -EAGAIN);
    free(events);
}

/* Others of this machine have no business there. */
static void permissions(void)
{
    CHECK(fake_xenstore_get(MEETING_AGENT, MEETING "/bridge"));
    CHECK(fake_xenstore_get(MEETING_AGENT, MEETING "/reply"));
    CHECK(!fake_xenstore_get(8, MEETING "/bridge"));
    CHECK(!fake_xenstore_get(8, MEETING "/reply"));
    CHECK(!fake_xenstore_get(8, MEETING "/agent/request"));
    CHECK(!fake_xenstore_put(8, MEETING "/agent/request", "x", 1));
    CHECK(!fake_xenstore_put(8, MEETING "/agent/more", "x", 1));
    CHECK(!fake_xenstore_put(MEETING_AGENT, MEETING "/reply", "x", 1));
    CHECK(!fake_xenstore_put(MEETING_AGENT, MEETING "/bridge", "x", 1));
    CHECK(!fake_xenstore_put(MEETING_AGENT, MEETING "/more", "x", 1));
    CHECK(!fake_xenstore_put(MEETING_AGENT, MEETING, NULL, 0));
    CHECK(fake_xenstore_put(MEETING_AGENT, MEETING "/agent/more", "x", 1));
}

static void endpoints(void)
{
    static const char *const bad[] = {"",      "0",     "0/",     "/5",
                                      "x/5",   "-1/5",  "0/5/6",  "0/../5",
                                      "0/5 6", "0/a.b", "32752/5"};
    char name[RENDEZVOUS_NAME], longest[] = "0/0123456789012345678901234567890";
    uint32_t domid = 1;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_EQ(rendezvous_parse(bad[i], &domid, name), -EINVAL);
    CHECK_EQ(rendezvous_parse(longest, &domid, name), 0);
    CHECK_EQ(domid, 0);
    CHECK_STR(name, longest + 2);
    CHECK_EQ(
        rendezvous_parse("0/01234567890123456789012345678901", &domid, name),
        -EINVAL);
    CHECK_EQ(rendezvous_parse("12/web-1_A", &domid, name), 0);
    CHECK_EQ(domid, 12);
    CHECK_STR(name, "web-1_A");
}

int main(void)
{
    struct rendezvous_bridge *bridge;
    struct rendezvous_agent *agent;

    endpoints();
    meeting_prepare();
    fake_xenstore.conflicts = 3;
    bridge = meeting_serve();
    agent = meeting_open();
    meeting_exchange(bridge, agent);
    queued(bridge, agent);
    quiet(bridge, agent);
    subscribe(bridge, agent, 0);
    subscribe(bridge, agent, 12);
    subscribe(bridge, agent, MESSAGE_PART);
    subscribe(bridge, agent, MESSAGE_PART + 1);
    subscribe(bridge, agent, VMRING_LOCAL_MAX - 1);
    CHECK_EQ(
        rendezvous_send(agent, VMRING_LOCAL_SUBSCRIBE, &body, VMRING_LOCAL_MAX),
        -EINVAL);
    permissions();
    rendezvous_close(agent);
    rendezvous_serve_end(bridge);
    fake_xenstore_check_empty(MEETING_ABOVE);
    rendezvous_close(NULL);
    rendezvous_serve_end(NULL);
    return 0;
}
