/* SPDX-License-Identifier: MIT */
/*
 * Description: either end killed and started again, in any state: what the one
 * before has left is not taken for the new one's, and goes; the other end
 * learns of it.
 */
#include <errno.h>
#include <stdlib.h>

#include "meeting.h"

static uint32_t type;
static unsigned char body[VMRING_LOCAL_MAX];

/* Its descriptors are closed, and that is all: a kill. */
static void kill_agent(struct rendezvous_agent *agent)
{
    rendezvous_close(agent);
}

static void agent_is_let_down(struct rendezvous_agent *agent)
{
    CHECK_EQ(rendezvous_recv(agent, &type, body, sizeof(body)), -ECONNRESET);
    CHECK_EQ(rendezvous_recv(agent, &type, body, sizeof(body)), -ECONNRESET);
    CHECK_EQ(rendezvous_send(agent, VMRING_LOCAL_DETACH, NULL, 0), -ECONNRESET);
    CHECK(!rendezvous_is_waiting(agent));
    rendezvous_close(agent);
}

/* Nobody is there yet, or not for this domain. */
static void no_bridge(uint32_t domid)
{
    struct rendezvous_agent *agent;
    char error[256];

    fake_xenstore.domid = domid;
    CHECK_EQ(rendezvous_open(0, "5", &agent, error, sizeof(error)), -ENOENT);
    CHECK_HAS(error, "no bridge in domain 0 serves '5'");
}

/* An agent that was killed before it had its answer. */
static void agent_restarts(void)
{
    struct rendezvous_bridge *bridge = meeting_serve();
    struct rendezvous_agent *agent = meeting_open();
    struct rendezvous_agent *next;
    const struct rendezvous_message *request;
    uint64_t session, seq;

    no_bridge(8);
    CHECK_EQ(rendezvous_send(agent, VMRING_LOCAL_SUPPORTED, NULL, 0), 0);
    kill_agent(agent);
    /* Its request is seen; the answer is not for the next. */
    request = meeting_next(bridge);
    session = request->session;
    seq = request->seq;
    next = meeting_open();
    CHECK_EQ(meeting_reply(bridge, session, seq, MESSAGE_OK, NULL, 0), 0);
    CHECK_EQ(meeting_tell_quiet(bridge, session, seq), 0);
    CHECK_EQ(rendezvous_recv(next, &type, body, sizeof(body)), -EAGAIN);
    CHECK_EQ(rendezvous_send(next, VMRING_LOCAL_SUPPORTED, NULL, 0), 0);
    CHECK(rendezvous_is_waiting(next));
    CHECK_EQ(meeting_reply(bridge, session, seq, MESSAGE_OK, NULL, 0), 0);
    CHECK_EQ(rendezvous_recv(next, &type, body, sizeof(body)), -EAGAIN);
    CHECK(rendezvous_is_waiting(next));
    request = meeting_next(bridge);
    CHECK(request->session != session);
    CHECK_EQ(meeting_reply(bridge, request->session, request->seq, MESSAGE_OK,
                           NULL, 0),
             0);
    CHECK_EQ(rendezvous_recv(next, &type, body, sizeof(body)), -EAGAIN);
    CHECK(!rendezvous_is_waiting(next));
    meeting_exchange(bridge, next);
    rendezvous_close(next);
    rendezvous_serve_end(bridge);
    fake_xenstore_check_empty(MEETING_ABOVE);
}

/* A bridge is killed: its tree stays until the next removes it. */
static void bridge_restarts(void)
{
    struct rendezvous_bridge *killed = meeting_serve(), *bridge;
    struct rendezvous_agent *agent = meeting_open(), *late = meeting_open();

    CHECK_EQ(rendezvous_send(late, VMRING_LOCAL_SUPPORTED, NULL, 0), 0);
    bridge = meeting_serve();
    /* The request to the one before is gone, and would not be taken. */
    meeting_none(bridge);
    agent_is_let_down(late);
    CHECK(fake_xenstore_put(MEETING_AGENT, MEETING "/agent/request",
                            "bridge=1 session=2 seq=3 supported", SIZE_MAX));
    meeting_none(bridge);
    agent_is_let_down(agent);
    agent = meeting_open();
    meeting_exchange(bridge, agent);
    /* Had it not been killed, it would know its tree is not its own. */
    CHECK_EQ(rendezvous_next(killed, false, (void *)body), -ESTALE);
    rendezvous_serve_end(killed);
    meeting_exchange(bridge, agent);
    rendezvous_serve_end(bridge);
    agent_is_let_down(agent);
    fake_xenstore_check_empty(MEETING_ABOVE);
}

static struct rendezvous_bridge *successor;

static void successor_comes(void)
{
    successor = meeting_serve();
}

/* One that ends looks at its tree, and another makes it anew, at once. */
static void another_at_the_end(void)
{
    struct rendezvous_bridge *bridge = meeting_serve();
    struct rendezvous_agent *agent;

    fake_xenstore.before_transaction = successor_comes;
    rendezvous_serve_end(bridge);
    agent = meeting_open();
    meeting_exchange(successor, agent);
    rendezvous_serve_end(successor);
    agent_is_let_down(agent);
    fake_xenstore_check_empty(MEETING_ABOVE);
}

/* It ends while a request is in the queue. */
static void bridge_ends(void)
{
    struct rendezvous_bridge *bridge = meeting_serve();
    struct rendezvous_agent *agent = meeting_open();

    CHECK_EQ(rendezvous_send(agent, VMRING_LOCAL_SUPPORTED, NULL, 0), 0);
    CHECK_EQ(rendezvous_send(agent, VMRING_LOCAL_SUPPORTED, NULL, 0), 0);
    rendezvous_serve_end(bridge);
    agent_is_let_down(agent);
    bridge = meeting_serve();
    agent = meeting_open();
    rendezvous_serve_end(bridge);
    /* It finds out as it writes. */
    CHECK_EQ(rendezvous_send(agent, VMRING_LOCAL_SUPPORTED, NULL, 0),
             -ECONNRESET);
    agent_is_let_down(agent);
    fake_xenstore_check_empty(MEETING_ABOVE);
}

static void domain_destroyed(void)
{
    struct rendezvous_bridge *bridge = meeting_serve();
    struct rendezvous_message *request = calloc(1, sizeof(*request));

    CHECK(request);
    fake_xenstore_destroy(8);
    CHECK_EQ(rendezvous_next(bridge, false, request), 0);
    fake_xenstore_destroy(MEETING_AGENT);
    CHECK_EQ(rendezvous_next(bridge, false, request), -ESRCH);
    fake_xenstore.destroyed = 0;
    rendezvous_serve_end(bridge);
    fake_xenstore_check_empty(MEETING_ABOVE);
    free(request);
}

static void store_lost(void)
{
    struct rendezvous_bridge *bridge = meeting_serve();
    struct rendezvous_agent *agent = meeting_open();
    struct rendezvous_message *request = calloc(1, sizeof(*request));
    struct rendezvous_bridge *none;
    char error[256];

    CHECK(request);
    fake_xenstore_lose(true);
    CHECK_EQ(rendezvous_next(bridge, false, request), -EPIPE);
    CHECK_EQ(rendezvous_next(bridge, true, request), -EPIPE);
    CHECK_EQ(meeting_reply(bridge, 1, 1, MESSAGE_OK, NULL, 0), -EPIPE);
    CHECK_EQ(rendezvous_recv(agent, &type, body, sizeof(body)), -EPIPE);
    CHECK_EQ(rendezvous_send(agent, VMRING_LOCAL_DETACH, NULL, 0), -EPIPE);
    fake_xenstore.domid = 0;
    CHECK_EQ(rendezvous_serve(8, "6", &none, error, sizeof(error)), -ENOENT);
    CHECK_HAS(error, "cannot reach xenstore");
    rendezvous_close(agent);
    rendezvous_serve_end(bridge);
    fake_xenstore_lose(false);
    /* What it could not remove the next one does. */
    rendezvous_serve_end(meeting_serve());
    fake_xenstore_check_empty(MEETING_ABOVE);
    free(request);
}

/* Two bridges of one domain share the folder above. */
static void two_targets(void)
{
    struct rendezvous_bridge *bridge = meeting_serve(), *other;

    fake_xenstore.domid = 0;
    CHECK_EQ(rendezvous_serve(8, "6", &other, NULL, 0), 0);
    CHECK(!fake_xenstore_get(MEETING_AGENT, MEETING_ABOVE "/6/bridge"));
    rendezvous_serve_end(bridge);
    CHECK(fake_xenstore_get(8, MEETING_ABOVE "/6/bridge"));
    rendezvous_serve_end(other);
    fake_xenstore_check_empty(MEETING_ABOVE);
    /* Somebody spoils every transaction. */
    fake_xenstore.conflicts = 1000;
    CHECK_EQ(rendezvous_serve(8, "6", &other, NULL, 0), -EAGAIN);
    fake_xenstore.conflicts = 0;
    fake_xenstore_check_empty(MEETING_ABOVE);
}

int main(void)
{
    meeting_prepare();
    no_bridge(MEETING_AGENT);
    agent_restarts();
    bridge_restarts();
    another_at_the_end();
    bridge_ends();
    domain_destroyed();
    store_lost();
    two_targets();
    return 0;
}
