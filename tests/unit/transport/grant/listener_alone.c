/* SPDX-License-Identifier: MIT */
/*
 * Description: a producer's end of the grant transport, and agents that the
 * test plays: what they ask out of turn, and each call that fails.
 */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "fake_xen.h"
#include "faults.h"
#include "meeting.h"
#include "transport/grant/grant.h"

static int epoll = -1;
static struct listener *listener;
static struct peer *peer;
static struct region p, c;
static char line[256];

static void keep(void *ctx, int level, const char *text)
{
    (void)ctx;
    (void)level;
    snprintf(line, sizeof(line), "%s", text);
}

static const struct log log_ = {keep, NULL};
static struct channel_ops channels;

static int serve(void)
{
    const struct listening how = {
        .epoll = epoll,
        .log = &log_,
        .channels = channels,
    };

    fake_xenstore.domid = 0;
    return grant_listen(&how, "7/5", &listener);
}

static void prepare(void)
{
    line[0] = '\0';
    listener = NULL;
    peer = NULL;
    p = c = REGION_NONE;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    CHECK(epoll >= 0);
}

static void settle(void)
{
    region_drop(&p);
    region_drop(&c);
    if (peer)
        peer->ops->drop(peer);
    if (listener)
        listener->ops->close(listener);
    close(epoll);
    fake_xenstore_check_empty(MEETING_ABOVE);
    fake_xen_check_empty();
}

static void start(void)
{
    prepare();
    CHECK_EQ(serve(), 0);
    CHECK_EQ(listener->ops->accept(listener, &peer), -EAGAIN);
}

static void propose(struct rendezvous_agent *agent)
{
    static const struct xen_vm_ring_propose none = {
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(none),
        .nr_groups = 1,
    };

    CHECK_EQ(rendezvous_send(agent, VMRING_LOCAL_PROPOSE, &none, sizeof(none)),
             0);
}

/* That there is something to look for is seen first, then it is looked for. */
static int accept_one(struct peer **out)
{
    int ret = -EAGAIN;

    for (int i = 0; i < 3 && ret == -EAGAIN; i++)
        ret = listener->ops->accept(listener, out);
    return ret;
}

static int take(struct peer *from, uint32_t *type)
{
    static struct rendezvous_message message;
    int ret = -EAGAIN;

    for (int i = 0; i < 3 && ret == -EAGAIN; i++)
        ret = from->ops->recv(from, type, message.body.bytes,
                              sizeof(message.body));
    return ret;
}

/* One after the other, with each call failing. */
static void accept_faults(void)
{
    unsigned int nth = 0, refused = 0;
    bool fired;

    do {
        struct rendezvous_agent *agent;
        struct fault fault;
        int ret;

        start();
        agent = meeting_open();
        propose(agent);
        faults_arm(++nth);
        ret = accept_one(&peer);
        fired = faults_disarm(&fault);
        refused += ret == -ENOMEM;
        CHECK(!ret || (fired && (ret == -ENOMEM || ret == -EAGAIN)));
        rendezvous_close(agent);
        settle();
    } while (fired);
    CHECK_EQ(refused, 1);
}

static void out_of_turn(void)
{
    struct rendezvous_agent *first, *second;
    struct peer *old;
    uint32_t type;

    start();
    first = meeting_open();
    /* Of somebody who has not introduced himself. */
    CHECK_EQ(rendezvous_send(first, VMRING_LOCAL_SUPPORTED, NULL, 0), 0);
    CHECK_EQ(accept_one(&peer), -EAGAIN);
    CHECK(!peer);
    rendezvous_close(first);

    first = meeting_open();
    propose(first);
    CHECK_EQ(accept_one(&old), 0);
    /* It has been granted nothing: there is nothing to ring. */
    CHECK(!old->ops->kick(old, 0));
    CHECK_EQ(old->ops->ack(old), 0);
    CHECK_EQ(take(old, &type), (int)sizeof(struct xen_vm_ring_propose));
    CHECK(!old->ops->gone(old));
    CHECK_EQ(take(old, &type), -EAGAIN);
    CHECK_EQ(old->ops->send(old, 99, NULL, 0), -EINVAL);
    CHECK_EQ(old->ops->send(old, MESSAGE_OK, NULL, 0), 0);
    CHECK_EQ(rendezvous_recv(first, &type, &type, 0), -EAGAIN);
    /* Another comes, and then the first has one thing more to say. */
    second = meeting_open();
    propose(second);
    CHECK_EQ(accept_one(&peer), 0);
    CHECK_EQ(peer->ops->recv(peer, &type, &type, 1), -EPROTO);
    CHECK_EQ(rendezvous_send(first, VMRING_LOCAL_DETACH, NULL, 0), 0);
    CHECK(old->ops->gone(old));
    CHECK_EQ(take(old, &type), 0);
    CHECK_EQ(type, VMRING_LOCAL_DETACH);
    CHECK(peer->ops->gone(peer));
    CHECK_EQ(take(peer, &type), -ECONNRESET);
    old->ops->drop(old);
    rendezvous_close(first);
    rendezvous_close(second);
    settle();
}

/* All that an epoch needs, with each call failing, and with Xen's limit. */
static int make_and_grant(void)
{
    struct vmring_local_accept accept;
    struct link_regions regions = {.nr_before = 0};
    int err = peer->ops->make(peer, 4096, 4096, 1, &p, &c);

    if (err)
        return err;
    memset(&accept, 0, sizeof(accept));
    accept.body.nr_groups = 1;
    regions.p = p;
    regions.c = c;
    return peer->ops->hand_over(peer, &accept, &regions);
}

static void grant_faults(void)
{
    unsigned int nth = 0;
    bool fired;

    do {
        struct rendezvous_agent *agent;
        struct fault fault;
        uint32_t type;
        int ret;

        start();
        agent = meeting_open();
        propose(agent);
        CHECK_EQ(accept_one(&peer), 0);
        CHECK(take(peer, &type) > 0);
        faults_arm(++nth);
        ret = make_and_grant();
        fired = faults_disarm(&fault);
        CHECK_EQ(ret, fired ? -fault.err : 0);
        CHECK(!fired || line[0]);
        rendezvous_close(agent);
        settle();
    } while (fired);
    CHECK(nth > 12);
}

/* Once nobody can come any more, whoever is there is not told anything. */
static void lost(void)
{
    struct rendezvous_agent *agent;
    struct rendezvous_bridge *other;
    struct peer *none;
    uint32_t type;

    start();
    agent = meeting_open();
    propose(agent);
    CHECK_EQ(accept_one(&peer), 0);
    CHECK(take(peer, &type) > 0);
    fake_xenstore.domid = 0;
    CHECK_EQ(rendezvous_serve(MEETING_AGENT, "5", &other, NULL, 0), 0);
    CHECK_EQ(accept_one(&none), -EAGAIN);
    CHECK_HAS(line, "another bridge");
    CHECK(!listener->open);
    CHECK_EQ(peer->ops->send(peer, MESSAGE_OK, NULL, 0), -EPIPE);
    rendezvous_close(agent);
    rendezvous_serve_end(other);
    settle();
}

static bool is_awake(void)
{
    struct pollfd pfd = {.fd = epoll, .events = POLLIN};

    return poll(&pfd, 1, 0) == 1;
}

/* What nobody takes for now wakes nobody, but for a tick once in a while. */
static void held(void)
{
    struct rendezvous_agent *agent;
    struct peer *none;
    uint32_t type;
    int looks = 0;

    start();
    agent = meeting_open();
    propose(agent);
    CHECK_EQ(accept_one(&peer), 0);
    CHECK(take(peer, &type) > 0);
    CHECK_EQ(peer->ops->send(peer, MESSAGE_OK, NULL, 0), 0);
    CHECK_EQ(rendezvous_recv(agent, &type, &type, 0), -EAGAIN);
    peer->ops->hold(peer, true);
    CHECK_EQ(rendezvous_send(agent, VMRING_LOCAL_SUPPORTED, NULL, 0), 0);
    CHECK_EQ(accept_one(&none), -EAGAIN);
    do
        CHECK_EQ(listener->ops->accept(listener, &none), -EAGAIN);
    while (is_awake() && ++looks < 10);
    CHECK(looks < 10);
    peer->ops->hold(peer, false);
    CHECK(is_awake());
    peer->ops->hold(peer, false);
    CHECK_EQ(take(peer, &type), 0);
    CHECK_EQ(type, VMRING_LOCAL_SUPPORTED);
    rendezvous_close(agent);
    settle();
}

int main(void)
{
    static const struct expectation expect[] = {
        {"fcntl", 0}, /* nothing hangs on it */
        {NULL, 0},
    };
    const struct walk serving = {prepare, serve, settle, expect, 0};

    meeting_prepare();
    CHECK(faults_walk(&serving) > 8);
    accept_faults();
    out_of_turn();
    grant_faults();
    lost();
    held();
    return 0;
}
